"""One turn of the pacer: asks decide.boot who goes on and who waits, and has it carried out."""

from __future__ import annotations

import logging
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from hostagent.daemon.boots.messages import Order
from hostagent.daemon.boots.work import Job
from hostagent.decide.boot.queue import release
from hostagent.errors import HostagentError
from hostagent.model.boot import Admit, BootState

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from hostagent.daemon.boots.looks import Looks
    from hostagent.daemon.boots.messages import Did
    from hostagent.daemon.boots.runs import Run
    from hostagent.daemon.boots.seams import Acts
    from hostagent.daemon.boots.slowing import Slowing
    from hostagent.daemon.boots.state import State
    from hostagent.model.boot import Boot
    from hostagent.model.boot_guests import BootGuest

_LOG = logging.getLogger("hostagent")
_AGAIN_SECONDS = 5.0  # after a resume that failed
_RETRY_SECONDS, _MOST_RETRY_SECONDS, _MOST_TRIES = 20.0, 600.0, 6  # of a start, doubled each time


class Turns:
    """``order`` hands a job to other threads; ``fits`` says why a guest has no room in memory, or ""."""

    def __init__(
        self,
        state: State,
        looks: Looks,
        guests: Acts,
        slowing: Slowing,
        *,
        order: Callable[[Job], None],
        fits: Callable[[BootGuest], str],
    ) -> None:
        self._state = state
        self._looks = looks
        self._guests = guests
        self._slowing = slowing
        self._order = order
        self._fits = fits

    def turn(self, now: float) -> None:
        """Release who may go on; hold who is new and may not."""
        state = self._state
        runs = state.runs
        self._slowing.take_back(now)
        fresh = [run for run in runs.boots.values() if run.boot.state is BootState.HELD and not run.suspended]
        if state.halted or not state.pacing.enabled:
            for run in fresh:
                runs.go(run, "halted", now)
            fresh = []
        if state.halted:
            for run in runs.boots.values():
                if run.boot.queued:
                    run.note, run.expected = state.halted, None
            return
        self._decide(now)
        self._hold([run for run in fresh if run.boot.state is BootState.HELD], now)
        self._slowing.turn()

    def did(self, did: Did, now: float) -> None:
        """What became of an order."""
        run = self._state.runs.boots.get(did.uuid)
        if did.order is Order.START:
            self._started(run, did, now)
        elif did.order is Order.RESUME:
            self._resumed(run, did, now)
        elif did.order is Order.SLOW:
            self._slowing.did(run, did)
        else:
            self._slowing.undone(run, did)

    def _decide(self, now: float) -> None:
        state, runs = self._state, self._state.runs
        queue = runs.queue("" if not state.hold else f"held: {state.hold}")
        if not state.pacing.enabled:
            queue = replace(queue, boots=tuple(_urged(each) for each in queue.boots), stopped="")
        due = tuple(each for each in queue.boots if runs.boots[each.uuid].retry_at <= now)
        queue = replace(queue, boots=due)
        for decision in release(queue, state.limits, now, pacing=state.pacing, memory=self._memory):
            run = runs.boots[decision.uuid]
            if isinstance(decision, Admit):
                self._admit(run, decision.reason, now)
            else:
                run.note, run.expected = decision.reason, decision.expected_seconds

    def _memory(self, boot: Boot) -> str:
        return self._fits(self._state.runs.boots[boot.uuid].guest)

    def _admit(self, run: Run, reason: str, now: float) -> None:
        runs, waited = self._state.runs, run.boot.state is BootState.WAITING
        why = "exempt" if run.boot.exempt else "urged" if run.boot.urged else "limit"
        since = run.boot.requested_at
        runs.go(run, why, now)
        runs.admitted_at, self._state.released_at = now, time.time()
        run.leases = {mac: at for mac in run.guest.macs if (at := self._state.leases.get(mac))}
        if waited:
            _LOG.info("starting %s: %s", run.guest.name, reason)
            self._order(Job(order=Order.START, uuid=run.guest.uuid))
        elif run.suspended:
            _LOG.info("resuming %s after %.1f s: %s", run.guest.name, now - since, reason)
            self._order(Job(order=Order.RESUME, uuid=run.guest.uuid, id=run.guest.id))

    def _hold(self, fresh: Sequence[Run], now: float) -> None:
        """The held list first, on disk; then each is suspended."""
        if not fresh:
            return
        state = self._state
        try:
            state.held.put(*(self._looks.entry(run, run.note) for run in fresh))
        except HostagentError as error:
            _LOG.error("nobody is held: %s", error)
            for run in fresh:
                state.runs.go(run, "halted", now)
            return
        held = [run for run in fresh if self._suspend(run, now)]
        if held:
            state.held.put(*(self._looks.entry(run, run.note) for run in held))

    def _suspend(self, run: Run, now: float) -> bool:
        guest, state = run.guest, self._state
        if guest.id is None:
            return False
        try:
            done = self._guests.suspend(guest.uuid, guest.id)
        except HostagentError as error:
            _LOG.warning("%s is not held: %s", guest.name, error)
            self._order(Job(order=Order.RESUME, uuid=guest.uuid, id=guest.id))  # who knows how far it came
            state.runs.go(run, "late", now)
            run.suspended = True
            return False
        if not done:  # it ended, or somebody else has paused it: the event that tells so is on its way
            state.drop(guest.uuid)
            state.runs.forget(guest.uuid)
            return False
        run.suspended = True
        _LOG.info("holding %s: %s", guest.name, run.note)
        try:
            run.figures = self._looks.figures(guest.uuid)
        except HostagentError:
            run.figures = None
        return True

    def _started(self, run: Run | None, did: Did, now: float) -> None:
        if run is None or run.boot.state is not BootState.BOOTING:
            return
        if not did.error:
            if run.guest.id is None:
                run.guest = replace(run.guest, id=did.id)
            run.failed = 0
            return
        run.failed += 1
        _LOG.warning("%s could not be started (%d times): %s", run.guest.name, run.failed, did.error)
        run.retry_at = now + min(_MOST_RETRY_SECONDS, _RETRY_SECONDS * 2 ** (run.failed - 1))
        self._state.runs.back(run, BootState.WAITING, did.error)
        if run.failed >= _MOST_TRIES:
            run.boot = replace(run.boot, state=BootState.TIMED_OUT, ended_at=now)
            self._state.timed_out += 1

    def _resumed(self, run: Run | None, did: Did, now: float) -> None:
        if run is None or run.guest.id != did.id:
            return
        if did.error:
            _LOG.warning("%s could not be resumed: %s", run.guest.name, did.error)
            run.retry_at = now + _AGAIN_SECONDS
            self._state.runs.back(run, BootState.HELD, did.error)
            return
        run.suspended = False
        self._state.held_seconds += max(0.0, now - run.boot.requested_at)
        self._state.drop(did.uuid)


def _urged(boot: Boot) -> Boot:
    return replace(boot, urged=True) if boot.queued else boot
