"""What the journal tells: the runs, their actions, and what became of each."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from hostagent.act import journal
from hostagent.act.rows import Transition, state_from_json

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from hostagent.config import Settings


class Did(StrEnum):
    """What became of an action."""

    DONE = "done"  # and verified
    FAILED = "failed"
    DROPPED = "dropped"  # no longer what it was decided on: nothing was done
    RESTORED = "restored"  # done, then put back at once
    UNFINISHED = "unfinished"  # the process died; the next run ends it


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """One step of a run. ``undone_by`` is the run that undid it, or ""."""

    id: str
    kind: str
    object: str
    codes: tuple[str, ...]
    reason: str
    state: Did
    detail: str
    undone_by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One ``fix``, one turn of the agent, or one undo. ``at`` is ISO 8601, UTC; ``undoes`` are action ids."""

    id: str
    at: str
    what: str
    by: journal.Actor
    undoes: tuple[str, ...]
    actions: tuple[Action, ...]
    finished: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A run's file, read: its head, the last intent's actions as recorded, results by action."""

    path: Path
    head: Mapping[str, Any]
    actions: Mapping[int, Mapping[str, Any]]
    phases: tuple[tuple[str, str], ...]  # (begun | committed | aborted, first | second) since the last intent
    results: Mapping[int, tuple[Did, str]]
    finished: bool

    @property
    def transitions(self) -> tuple[Transition, ...]:
        """What the run meant to do to OVSDB."""
        return tuple(
            Transition(
                action=number,
                name=raw["name"],
                before=state_from_json(raw["before"]),
                after=state_from_json(raw["after"]),
            )
            for number, raw in self.actions.items()
            if "before" in raw
        )


def tell(path: Path) -> Told:
    """Read one run's file."""
    head: Mapping[str, Any] = {}
    actions: dict[int, Mapping[str, Any]] = {}
    phases: list[tuple[str, str]] = []
    results: dict[int, tuple[Did, str]] = {}
    finished = False
    for record in journal.read(path):
        match record["record"]:
            case "run":
                head = record
            case "intent":
                actions = {each["action"]: each for each in record["actions"]}
                phases = []
            case "begun" | "committed" | "aborted" as event:
                phases.append((event, record["phase"]))
            case "results":
                results |= {n: (Did(state), detail) for n, state, detail in record["results"]}
            case "done":
                finished = True
    return Told(
        path=path, head=head, actions=actions, phases=tuple(phases), results=results, finished=finished
    )


def runs(settings: Settings, *, last: int = 0) -> tuple[Run, ...]:
    """All runs, or the ``last`` ones, oldest first.

    Raises:
        JournalError: the journal can't be read by this user.
    """
    told = [each for each in map(tell, journal.paths(settings)[-last:]) if each.head]
    told.sort(key=lambda each: str(each.head["at"]))
    undone: dict[str, str] = {}
    for each in reversed(told):
        run = each.path.stem
        for number, action in enumerate(each.head["undoes"], 1):
            # An undo that was itself undone counts no more: its own undo is newer, so met before it.
            if each.results.get(number, (None, ""))[0] is Did.DONE and f"{run}.{number}" not in undone:
                undone[action] = run
    return tuple(_run(each, undone) for each in told)


def taken_back(found: Iterable[Run], *, since: datetime) -> dict[str, str]:
    """Objects whose last action a person has undone after ``since``, with the undo's run."""
    objects: dict[str, str] = {}
    for run in found:
        for action in run.actions:
            if action.state is Did.DONE:
                again = action.object in objects  # an undo that was itself undone is a repair
                objects.pop(action.object, None)
                if run.what == "undo" and not again and datetime.fromisoformat(run.at) > since:
                    objects[action.object] = run.id
    return objects


def _run(told: Told, undone: Mapping[str, str]) -> Run:
    run = told.path.stem
    missing = (
        (Did.UNFINISHED, "the process died before it was done") if not told.finished else (Did.FAILED, "")
    )
    actions = []
    for number, raw in sorted(told.actions.items()):
        state, detail = told.results.get(number, missing)
        actions.append(
            Action(
                id=f"{run}.{number}",
                kind=raw["kind"],
                object=raw["object"],
                codes=tuple(raw["codes"]),
                reason=raw["reason"],
                state=state,
                detail=detail,
                undone_by=undone.get(f"{run}.{number}", ""),
            )
        )
    return Run(
        id=run,
        at=told.head["at"],
        what=told.head["what"],
        by=journal.Actor(**told.head["by"]),
        undoes=tuple(told.head["undoes"]),
        actions=tuple(actions),
        finished=told.finished,
    )
