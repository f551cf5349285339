"""The pacer's first looks: what the agent before left, and whom this boot of the node has still to start."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from hostagent.daemon.boots import autostart
from hostagent.daemon.boots.messages import Order
from hostagent.daemon.boots.runs import managed_by
from hostagent.daemon.boots.saved import Saved, SavedRun, recall
from hostagent.daemon.boots.work import Job
from hostagent.model.boot import BootState
from hostagent.model.boot_held import SLOWED

if TYPE_CHECKING:
    from collections.abc import Callable

    from hostagent.daemon.boots.looks import Looks
    from hostagent.daemon.boots.state import State

_LOG = logging.getLogger("hostagent")


class Beginning:
    """Adopted guests are queued once in a boot of the node, at the first look that shows all domains."""

    def __init__(self, state: State, looks: Looks, order: Callable[[Job], None]) -> None:
        self._order = order
        self._state = state
        self._looks = looks
        self._waiting: frozenset[str] | None = None

    def recall(self) -> None:
        """What the agent before this one knew."""
        saved = recall(self._state.settings.paths.run_dir)
        if saved is None:
            return
        state = self._state
        state.limits, state.hold = dict(saved.limits), saved.hold
        state.runs.admitted_at, state.runs.typical = saved.admitted_at, saved.typical
        self._looks.recall({each.boot.uuid: each for each in saved.runs})

    def seen_all(self, now: float) -> None:
        """Queue the adopted guests that were not started yet."""
        if self._waiting is not None:
            return
        known = autostart.pending(self._state.settings.paths.run_dir)
        adopted = [
            guest
            for guest in self._state.guests.values()
            if guest.wish.adopted and guest.persistent and guest.id is None and not managed_by(guest)
        ]
        chosen = [guest for guest in adopted if known is None or guest.uuid in known]
        self._waiting = frozenset(guest.uuid for guest in chosen)
        self._put()
        for guest in chosen:
            if guest.uuid not in self._state.runs.boots:
                self._state.runs.wait(guest, now)
        self._unslow_unknown()
        if chosen:
            _LOG.info("%d adopted guests are to be started", len(chosen))

    def started(self) -> None:
        """Forget those that run, or that are not waited for any more."""
        if self._waiting is None:
            return
        boots = self._state.runs.boots
        left = frozenset(
            uuid for uuid in self._waiting if (run := boots.get(uuid)) is not None and run.guest.id is None
        )
        if left != self._waiting:
            self._waiting = left
            self._put()

    def _unslow_unknown(self) -> None:
        """Take back I/O limits of boots that nobody knows any more."""
        for entry in self._state.held.entries:
            run = self._state.runs.boots.get(entry.uuid)
            if entry.kind == SLOWED and (run is None or not run.slowed_iops):
                job = Job(
                    order=Order.UNSLOW, uuid=entry.uuid, id=entry.id, iops=entry.iops, disks=entry.disks
                )
                self._order(job)

    def _put(self) -> None:
        autostart.keep(self._state.settings.paths.run_dir, self._waiting or frozenset())


def as_saved(state: State) -> Saved:
    """What the next agent has to know."""
    kept = {BootState.WAITING, BootState.HELD, BootState.BOOTING, BootState.TIMED_OUT}
    return Saved(
        runs=tuple(
            SavedRun(boot=run.boot, id=run.guest.id, progress=run.progress)
            for run in state.runs.boots.values()
            if run.boot.state in kept
        ),
        limits=dict(state.limits),
        hold=state.hold,
        admitted_at=state.runs.admitted_at,
        typical=state.runs.typical,
    )
