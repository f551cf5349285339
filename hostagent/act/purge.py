"""The purge's way of acting: journalled and verified like any repair, but in OVSDB alone.

vswitchd is not there yet. Recovery of runs that died is left to `fix`, which has libvirt to ask; it ends
this one's too, should it die.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from hostagent.act import lock, places
from hostagent.act.batch import Batch
from hostagent.act.build import transition
from hostagent.act.history import Did
from hostagent.act.journal import Journal
from hostagent.act.outcome import Outcome, StepResult
from hostagent.act.rows import state_to_json
from hostagent.act.store import Store
from hostagent.errors import ActError, ChangedError, RefusedError
from hostagent.model.plan import StepKind

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from hostagent.act.rows import Database, Transition
    from hostagent.config import Settings
    from hostagent.model.plan import Plan, Step
    from hostagent.model.units import PurgeMark

WHO = "hostagent purge"
_KINDS = frozenset({StepKind.DELETE_PORT, StepKind.DELETE_QOS, StepKind.DELETE_QUEUE})
_LOCK_SECONDS = 1.0


def carry_out(plan: Plan, settings: Settings) -> Outcome:
    """Delete what ``plan`` names, in one transaction.

    Raises:
        RefusedError: the plan is refused, or somebody else acts, or the stop file exists.
        JournalError, SourceError, ActError: as Executor.apply.
    """
    if plan.refused:
        raise RefusedError(plan.refused)
    if wrong := [step.kind for step in plan.steps if step.kind not in _KINDS]:
        raise RefusedError(f"a purge only deletes, and {wrong[0]} is something else")
    if not plan.steps:
        return Outcome(run="")
    steps = dict(enumerate(plan.steps, 1))
    with (
        lock.held(settings, who=WHO, wait_seconds=_LOCK_SECONDS),
        Store(settings) as store,
        Journal.create(settings, what="purge", who=WHO) as journal,
    ):
        db = store.read()
        results: dict[int, tuple[Did, str]] = {}
        transitions = []
        for number, step in steps.items():
            try:
                transitions.append(transition(number, step, db, lambda: str(uuid4())))
            except ChangedError as error:
                results[number] = (Did.DROPPED, str(error))
        journal.write("intent", attempt=1, actions=_intent(steps, transitions))
        try:
            if transitions:
                Batch(store, journal, offline=True).run(transitions, db)
        except ActError as error:
            journal.finish(results | {each.action: (Did.DROPPED, str(error)) for each in transitions})
            raise
        after = store.read()
        results |= {each.action: _result(each, after) for each in transitions}
        untold = journal.finish(results)
        return Outcome(run=journal.run, results=_told(journal.run, steps, results), untold=untold)


def leave_mark(path: Path, mark: PurgeMark) -> None:
    """Write the purge's record, whole or not at all.

    Raises:
        RefusedError: it can't be written.
    """
    text = json.dumps(asdict(mark) | {"ran": sorted(mark.ran)})
    try:
        path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        places.replace(path, text, mode=0o644, durable=False)
    except OSError as error:
        raise RefusedError(f"can't write {path}: {error.strerror} (a purge needs root)") from error


def _result(each: Transition, db: Database) -> tuple[Did, str]:
    """vswitchd has nothing yet that could differ from the rows."""
    port = each.before.port
    if port is not None and port.uuid in db.tables["Port"]:
        return Did.FAILED, f"port {each.name} is still in OVSDB"
    left = [
        uuid
        for table, lot in (("QoS", each.before.qos), ("Queue", each.before.queues))
        for uuid in lot
        if uuid in db.tables[table]
    ]
    return (Did.FAILED, f"row {left[0]} is still in OVSDB") if left else (Did.DONE, "")


def _intent(steps: Mapping[int, Step], transitions: list[Transition]) -> list[dict[str, Any]]:
    rows = {each.action: each for each in transitions}
    told = []
    for number, step in steps.items():
        action: dict[str, Any] = {name: getattr(step, name) for name in ("kind", "object", "name", "reason")}
        action |= {"action": number, "codes": list(step.codes)}
        if each := rows.get(number):
            action |= {"before": state_to_json(each.before), "after": state_to_json(each.after)}
        told.append(action)
    return told


def _told(
    run: str, steps: Mapping[int, Step], results: Mapping[int, tuple[Did, str]]
) -> tuple[StepResult, ...]:
    return tuple(
        StepResult(id=f"{run}.{n}", kind=step.kind, object=step.object, state=state, reason=words)
        for n, step in steps.items()
        for state, words in [results[n]]
    )
