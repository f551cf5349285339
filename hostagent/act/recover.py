"""Runs whose process died: ended forward by what OVSDB shows. Never a port twice, never one lost.

Transactions are atomic and row UUIDs are never given again, so the rows themselves tell how far the
run came. A run that had removed ports gets them back; one that had not begun is closed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hostagent.act.batch import Batch, happened
from hostagent.act.conclude import Results, conclude
from hostagent.act.history import Did, Told, tell
from hostagent.act.journal import Journal, ending, paths
from hostagent.act.operations import late
from hostagent.act.recheck import world_of
from hostagent.act.store import Store
from hostagent.errors import RefusedError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from hostagent.act.rows import Transition
    from hostagent.config import Settings
    from hostagent.model.host import Snapshot

_UNTOUCHED = "the process died before anything was changed"


class Recovery:
    """To be used under act.lock only: an open run whose process lives must not be ended by another."""

    def __init__(self, settings: Settings, look: Callable[[], Snapshot]) -> None:
        self._settings = settings
        self._look = look

    def all(self) -> tuple[str, ...]:
        """End every unfinished run; what became of each, in words."""
        found = [told for told in map(tell, _unfinished(paths(self._settings))) if not told.finished]
        return tuple(self._end(told) for told in found)

    def _end(self, told: Told) -> str:
        with Journal.reopen(told.path) as journal:
            results = self._results(told, journal)
            rest = {n: (Did.DROPPED, _UNTOUCHED) for n in told.actions if n not in results}
            results = rest | results
            untold = journal.finish(results)
        done = sum(state is Did.DONE for state, _ in results.values())
        words = f"run {told.path.stem} had died: {done} of {len(results)} actions were carried out"
        return f"{words}; it can't be closed: {untold}" if untold else words

    def _results(self, told: Told, journal: Journal) -> Results:
        transitions = told.transitions
        if not transitions or not _begun(told):
            return {}
        with Store(self._settings) as store:
            db = store.read()
            certain = ("committed", "first") in told.phases
            if not certain and not happened(transitions, db, chosen=store.chosen):
                return {}
            batch = Batch(store, journal, begun=True)
            waiting = [
                each
                for each in late(transitions)
                if each.inserts and each.inserts.uuid not in db.tables["Port"]
            ]
            lost = {
                each.action: f"somebody else has made port {each.name} again"
                for each in waiting
                if each.name in db.names
            }
            out = [each for each in waiting if each.action not in lost]
            if out:
                batch.catch_up()
                lost |= batch.add_back(out, gone=self._gone(out))
            return conclude(
                transitions,
                store=store,
                batch=batch,
                look=self._look,
                lost=lost,
                guests_first=told.head.get("what") != "undo",
            )

    def _gone(self, transitions: Sequence[Transition]) -> frozenset[str]:
        """Names of ports whose guest has stopped since, so that the port would only be stale.

        When that can't be told the port is put back: a stale row does no harm, a lost one does.
        """
        try:
            world = world_of(self._look())
        except RefusedError:
            return frozenset()
        return frozenset(
            each.name
            for each in transitions
            if world.link(each.name) is None and each.name not in world.claims and _of_guest(each)
        )


def _of_guest(each: Transition) -> bool:
    """Not so for a port that was without a tap already when the run began: undo puts such ones back."""
    rows = each.before.port
    number = None if rows is None else rows.interfaces[0].get("ofport")
    return isinstance(number, int) and number > 0


def _begun(told: Told) -> bool:
    last = next((event for event, phase in reversed(told.phases) if phase == "first"), "")
    return last in {"begun", "committed"}


def _unfinished(found: Sequence[Path]) -> list[Path]:
    """The files without ``done`` at their end: read whole only when their tail does not have it."""
    return [path for path in found if not ending(path)]
