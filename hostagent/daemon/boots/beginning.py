"""The pacer's first looks: what the agent before left, and whom this boot of the node has still to start."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from hostagent.daemon.boots import autostart
from hostagent.daemon.boots.runs import managed_by
from hostagent.daemon.boots.saved import Saved, SavedRun, recall
from hostagent.model.boot import BootState

if TYPE_CHECKING:
    from hostagent.daemon.boots.looks import Looks
    from hostagent.daemon.boots.state import State

_LOG = logging.getLogger("hostagent")


class Beginning:
    """Adopted guests are queued once in a boot of the node, at the first look that shows all domains."""

    def __init__(self, state: State, looks: Looks) -> None:
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
        state = self._state
        known = autostart.pending(state.settings.paths.run_dir)
        adopted = [
            guest
            for guest in state.guests.values()
            if guest.wish.adopted and guest.persistent and guest.id is None and not managed_by(guest)
        ]
        chosen = [guest for guest in adopted if known is None or guest.uuid in known]
        self._waiting = frozenset(guest.uuid for guest in chosen)
        self._put()
        for guest in chosen:
            if guest.uuid not in state.runs.boots:
                state.runs.wait(guest, now)
        state.begun = True
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
