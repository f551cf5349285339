"""Undo as an action: finds what was done, turns it round, and carries it out like a repair of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import uuid4

from hostagent.act import history, journal, links
from hostagent.act.batch import Batch
from hostagent.act.conclude import Results, conclude
from hostagent.act.history import Did, Run, Told
from hostagent.act.journal import Journal
from hostagent.act.outcome import Outcome, StepResult
from hostagent.act.recheck import world_of
from hostagent.act.rows import Transition, state_to_json
from hostagent.act.store import Store
from hostagent.act.undo import reverse
from hostagent.decide.ready import busy
from hostagent.errors import ActError, ChangedError, RefusedError
from hostagent.model.plan import StepKind

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from hostagent.act.rows import Database
    from hostagent.config import Settings
    from hostagent.decide.drift.world import World
    from hostagent.model.host import Snapshot

_ATTEMPTS = 3


class Undoing:
    """To be used under act.lock only."""

    def __init__(self, settings: Settings, look: Callable[[], Snapshot]) -> None:
        self._settings = settings
        self._look = look

    def undo(self, identity: str, *, who: str, recovered: tuple[str, ...]) -> Outcome:
        """Take back the actions that ``identity`` names, all of them or none."""
        told, chosen = self._find(identity)
        undoes = tuple(f"{told.path.stem}.{number}" for number in chosen)
        actions = {number: told.actions[of] for number, of in enumerate(chosen, 1)}
        recorded = {each.action: each for each in told.transitions}
        ours = {number: recorded[of] for number, of in enumerate(chosen, 1) if of in recorded}
        with Store(self._settings) as store:
            world, db = world_of(self._look()), store.read()
            _refuse(actions, ours, world)
            transitions = _reversed(ours, db)
            with Journal.create(self._settings, what="undo", who=who, undoes=undoes) as log:
                results = self._carry_out(actions, ours, transitions, db, store, log)
                untold = log.finish(results)
                done = _told(log.run, actions, results)
                return Outcome(run=log.run, results=done, recovered=recovered, untold=untold)

    def _carry_out(
        self,
        actions: Mapping[int, Mapping[str, Any]],
        ours: Mapping[int, Transition],
        transitions: list[Transition],
        db: Database,
        store: Store,
        log: Journal,
    ) -> Results:
        batch = Batch(store, log)
        for attempt in range(1, _ATTEMPTS + 1):
            log.write("intent", attempt=attempt, actions=_intent(actions, transitions))
            try:
                lost = batch.run(transitions, db) if transitions else {}
                break
            except ActError as error:
                if not error.retryable or attempt == _ATTEMPTS:
                    log.finish({n: (Did.DROPPED, str(error)) for n in actions})
                    raise
            db = store.read()
            try:
                transitions = _reversed(ours, db)
            except RefusedError as error:
                log.finish({n: (Did.DROPPED, str(error)) for n in actions})
                raise
        results: Results = {}
        for number, raw in actions.items():
            if raw["kind"] == StepKind.LINK_UP and "link" in raw:
                links.set_up(raw["link"]["ifindex"], up=raw["link"]["up"])
                results[number] = (Did.DONE, "")
        return results | conclude(
            transitions,
            store=store,
            batch=batch,
            look=self._look,
            lost=lost,
            guests_first=False,
        )

    def _find(self, identity: str) -> tuple[Told, list[int]]:
        """The run and its actions that can be undone, or RefusedError."""
        name, _, number = identity.partition(".")
        path = journal.directory(self._settings) / f"{name}.jsonl"
        if not name or "/" in identity or path not in journal.paths(self._settings):
            raise RefusedError(f"no run {name or identity} in the journal (hostagent history lists them)")
        run = next(each for each in history.runs(self._settings) if each.id == name)
        told = history.tell(path)
        if not number:
            return told, _whole(run)
        action = next((each for each in run.actions if each.id == identity), None)
        if action is None:
            raise RefusedError(f"run {name} has no action {number} (it has 1 to {len(run.actions)})")
        if action.undone_by:
            raise RefusedError(f"{identity} was undone already, by {action.undone_by}")
        if action.state not in _UNDOABLE:
            raise RefusedError(f"{identity} was {action.state}: there is nothing to undo")
        return told, [int(number)]


_UNDOABLE = frozenset({Did.DONE, Did.FAILED})


def _whole(run: Run) -> list[int]:
    """The run's actions that are not undone yet."""
    open_actions = [each for each in run.actions if each.state in _UNDOABLE and not each.undone_by]
    if not open_actions:
        raise RefusedError(f"run {run.id} has nothing (more) to undo")
    return [int(each.id.rpartition(".")[2]) for each in open_actions]


def _refuse(actions: Mapping[int, Mapping[str, Any]], ours: Mapping[int, Transition], world: World) -> None:
    """Raise RefusedError if the host does not allow it now."""
    for raw in actions.values():
        if raw["kind"] == StepKind.DELETE_TAP:
            raise RefusedError(f"tap {raw['name']} can't be made again: the process that uses a tap makes it")
        link = world.link(raw["name"])
        if raw["kind"] == StepKind.LINK_UP and (link is None or link.ifindex != raw["link"]["ifindex"]):
            raise RefusedError(f"tap {raw['name']} is not the one that was set up")
    for each in ours.values():
        if words := busy(each.name, world):
            raise RefusedError(words)
        if each.after.port is None and each.before.port is not None and world.link(each.name) is not None:
            claim, row = world.claims.get(each.name), each.before.port.interfaces[0]
            ids = dict(row.get("external_ids", ["map", []])[1])
            if claim is None or claim.domain.uuid not in {ids.get("vm-id"), ids.get("vm-uuid")}:
                raise RefusedError(
                    f"a tap {each.name} exists by now: the old row would give it an earlier guest's VLAN"
                )


def _reversed(ours: Mapping[int, Transition], db: Database) -> list[Transition]:
    leaving = frozenset(each.name for each in ours.values() if each.before.port is None and each.after.port)
    found, problems = [], []
    for number, each in sorted(ours.items(), reverse=True):
        try:
            found.append(reverse(each, db, lambda: str(uuid4()), action=number, leaving=leaving))
        except ChangedError as error:
            problems.append(str(error))
    if problems:
        raise RefusedError(f"can't be undone: {'; '.join(problems)}")
    return found


def _intent(actions: Mapping[int, Mapping[str, Any]], transitions: list[Transition]) -> list[dict[str, Any]]:
    rows = {each.action: each for each in transitions}
    told = []
    for number, raw in actions.items():
        action = {name: raw[name] for name in ("kind", "object", "name", "codes")}
        action |= {"action": number, "reason": f"undo of: {raw['reason']}"}
        if each := rows.get(number):
            action |= {"before": state_to_json(each.before), "after": state_to_json(each.after)}
        elif "link" in raw:
            action["link"] = raw["link"] | {"up": True}
        told.append(action)
    return told


def _told(run: str, actions: Mapping[int, Mapping[str, Any]], results: Results) -> tuple[StepResult, ...]:
    return tuple(
        StepResult(
            id=f"{run}.{n}", kind=f"undo of {raw['kind']}", object=raw["object"], state=state, reason=words
        )
        for n, raw in actions.items()
        for state, words in [results.get(n, (Did.FAILED, "nothing is known of it"))]
    )
