"""The only way to change the host: look again, journal, act, look again (ARCHITECTURE, safe repair)."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from hostagent.act import links, lock
from hostagent.act.batch import Batch
from hostagent.act.build import OVSDB_KINDS, transition
from hostagent.act.conclude import Results, conclude
from hostagent.act.history import Did
from hostagent.act.journal import Journal, changed_since
from hostagent.act.outcome import Outcome, StepResult
from hostagent.act.recheck import objection, world_of
from hostagent.act.recover import Recovery
from hostagent.act.rows import state_to_json
from hostagent.act.store import Store
from hostagent.act.undoing import Undoing
from hostagent.decide.repair import latched
from hostagent.errors import ActError, ChangedError, JournalError, RefusedError, SourceError
from hostagent.model.plan import Plan, Step, StepKind

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from hostagent.act.rows import Database, Transition
    from hostagent.config import Settings
    from hostagent.decide.drift.world import World
    from hostagent.model.host import Snapshot

_ATTEMPTS = 3
_HOUR_SECONDS = 3600.0


class Executor:
    """Acts on the host that ``look`` looks at. One at a time per host: each call holds act.lock.

    Raises, from every method:
        RefusedError: not now (lock, stop file, missing section, flow restore); nothing was touched.
        JournalError: the journal can't be written; nothing was touched.
        SourceError: OVSDB can't be reached, or went away on the way; the journal tells the next run.
        ActError: OVSDB or the kernel refuses.
    """

    def __init__(
        self, settings: Settings, look: Callable[[], Snapshot], *, lock_wait_seconds: float = 10.0
    ) -> None:
        self._settings = settings
        self._look = look
        self._wait = lock_wait_seconds

    def apply(self, plan: Plan, *, who: str, undone: Callable[[], Mapping[str, str]] = dict) -> Outcome:
        """Carry out ``plan``. Success is said of a step only after the kernel's side has shown it.

        ``undone`` is asked under the lock: objects that are to be left alone, each with its undo; one that
        held the lock meanwhile is over by then, and in the journal.
        """
        if plan.refused:
            raise RefusedError(plan.refused)
        if not plan.steps:
            return Outcome(run="")
        with lock.held(self._settings, who=who, wait_seconds=self._wait):
            recovered = Recovery(self._settings, self._look).all()
            done = 0 if plan.forced else changed_since(self._settings, time.time() - _HOUR_SECONDS)
            if words := latched(len(plan.steps), within_the_hour=done, limits=self._settings.repair):
                raise RefusedError(words)
            return self._apply(dict(enumerate(plan.steps, 1)), who, recovered, undone())

    def undo(self, identity: str, *, who: str) -> Outcome:
        """Take back an action (RUN.N) or a whole run (RUN), or refuse with what has changed meanwhile."""
        with lock.held(self._settings, who=who, wait_seconds=self._wait):
            recovered = Recovery(self._settings, self._look).all()
            return Undoing(self._settings, self._look).undo(identity, who=who, recovered=recovered)

    def recover(self, *, who: str) -> tuple[str, ...]:
        """End runs whose process died; what became of each, in words. The agent calls it at its start."""
        with lock.held(self._settings, who=who, wait_seconds=self._wait):
            return Recovery(self._settings, self._look).all()

    def _apply(
        self, steps: Mapping[int, Step], who: str, recovered: tuple[str, ...], undone: Mapping[str, str]
    ) -> Outcome:
        world = world_of(self._look())
        dropped = _objections(steps, world) | _spared(steps, undone)
        if len(dropped) == len(steps):
            return Outcome(run="", results=_results("", steps, dropped), recovered=recovered)
        with Store(self._settings) as store, Journal.create(self._settings, what="fix", who=who) as journal:
            try:
                results = self._attempt(steps, dropped, world, store, journal)
            except JournalError:
                raise
            except ActError as error:
                journal.finish({n: dropped.get(n, (Did.DROPPED, str(error))) for n in steps})
                raise
            except SourceError as error:
                raise SourceError(
                    f"{error}; run {journal.run} is unfinished: the agent or the next hostagent fix ends it"
                ) from error
            untold = journal.finish(results)
            told = _results(journal.run, steps, results)
            return Outcome(run=journal.run, results=told, recovered=recovered, untold=untold)

    def _attempt(
        self, steps: Mapping[int, Step], dropped: Results, world: World, store: Store, journal: Journal
    ) -> Results:
        """OVSDB's part in one batch, tried again when rows changed; then the links."""
        batch = Batch(store, journal)
        suspects: set[int] = set()
        for attempt in range(1, _ATTEMPTS + len(steps)):
            db = store.read()
            transitions, gone = _transitions(steps, dropped, db)
            dropped |= gone
            lock.refuse_if_stopped(self._settings)
            journal.write("intent", attempt=attempt, actions=_intent(steps, transitions, world))
            try:
                lost = batch.run(transitions, db) if transitions else {}
                break
            except ChangedError as error:
                # A row that changes again and again must not keep the others from being repaired.
                found = {each.action for each in transitions if each.concerns(str(error))}
                again = found & suspects if found else {each.action for each in transitions}
                if attempt >= _ATTEMPTS or found & suspects:
                    dropped |= {number: (Did.DROPPED, str(error)) for number in again}
                suspects |= found
            world = world_of(self._look())
            dropped |= _objections({n: step for n, step in steps.items() if n not in dropped}, world)
        else:
            transitions, lost = [], {}
        changed = self._links(steps, dropped)
        concluded = conclude(
            transitions,
            store=store,
            batch=batch,
            look=self._look,
            lost=lost,
        )
        return dropped | concluded | changed

    def _links(self, steps: Mapping[int, Step], dropped: Results) -> Results:
        chosen = {n: s for n, s in steps.items() if n not in dropped and s.kind not in OVSDB_KINDS}
        results: Results = {}
        for number, step in chosen.items():
            if step.ifindex is None:
                results[number] = (Did.DROPPED, f"the ifindex of {step.name} is not known")
                continue
            try:
                if step.kind is StepKind.LINK_UP:
                    links.set_up(step.ifindex, up=True)
                else:
                    links.delete(step.ifindex)
            except ActError as error:
                results[number] = (Did.FAILED, str(error))
        acted = {n: step for n, step in chosen.items() if n not in results}
        if acted:
            world = world_of(self._look())
            results |= {n: _link_result(step, world) for n, step in acted.items()}
        return results


def _transitions(
    steps: Mapping[int, Step], dropped: Results, db: Database
) -> tuple[list[Transition], Results]:
    """What the steps make of the rows as they are, and which no longer hold."""
    found: list[Transition] = []
    gone: Results = {}
    for number, step in steps.items():
        if number not in dropped and step.kind in OVSDB_KINDS:
            try:
                found.append(transition(number, step, db, _new_uuid))
            except ChangedError as error:
                gone[number] = (Did.DROPPED, str(error))
    return found, gone


def _link_result(step: Step, world: World) -> tuple[Did, str]:
    link = world.link(step.name)
    there = link is not None and link.ifindex == step.ifindex
    if step.kind is StepKind.DELETE_TAP:
        return (Did.FAILED, f"tap {step.name} is still there") if there else (Did.DONE, "")
    if there and link is not None and link.up:
        return Did.DONE, ""
    return Did.FAILED, f"tap {step.name} is not up"


def _spared(steps: Mapping[int, Step], undone: Mapping[str, str]) -> Results:
    words = {n: undone[step.object] for n, step in steps.items() if step.object in undone}
    return {n: (Did.DROPPED, f"a person took its repair back ({run})") for n, run in words.items()}


def _objections(steps: Mapping[int, Step], world: World) -> Results:
    words = {number: objection(step, world) for number, step in steps.items()}
    return {number: (Did.DROPPED, reason) for number, reason in words.items() if reason}


def _intent(steps: Mapping[int, Step], transitions: list[Transition], world: World) -> list[dict[str, Any]]:
    """Every step of the plan with the rows before and after, or the link as it is."""
    rows = {each.action: each for each in transitions}
    told = []
    for number, step in steps.items():
        action: dict[str, Any] = {
            "action": number,
            "kind": step.kind,
            "object": step.object,
            "name": step.name,
            "codes": list(step.codes),
            "reason": step.reason,
        }
        link = world.link(step.name)
        if each := rows.get(number):
            action |= {"before": state_to_json(each.before), "after": state_to_json(each.after)}
        elif step.kind not in OVSDB_KINDS and link is not None:
            action["link"] = links.as_recorded(link.name, link.ifindex, up=link.up)
        told.append(action)
    return told


def _results(run: str, steps: Mapping[int, Step], results: Results) -> tuple[StepResult, ...]:
    return tuple(
        StepResult(
            id=f"{run}.{n}" if run else "", kind=step.kind, object=step.object, state=state, reason=words
        )
        for n, step in steps.items()
        for state, words in [results[n]]
    )


def _new_uuid() -> str:
    return str(uuid4())
