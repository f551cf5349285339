"""Boots of managed guests over the limit, slowed by I/O limits for a time where the site wants it.

They are never held: their manager waits for them. A limit is on the held list before it is set, and taken
back when it is the guest's turn, it has settled or timed out, or the agent ends.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING

from hostagent.daemon.boots.messages import Order
from hostagent.daemon.boots.work import Job
from hostagent.decide.boot.queue import pool_of
from hostagent.errors import JournalError
from hostagent.model.boot_held import SLOWED

if TYPE_CHECKING:
    from collections.abc import Callable

    from hostagent.daemon.boots.looks import Looks
    from hostagent.daemon.boots.messages import Did
    from hostagent.daemon.boots.runs import Run
    from hostagent.daemon.boots.state import State

_LOG = logging.getLogger("hostagent")
_AGAIN_SECONDS = 5.0
_PENDING_SECONDS = 40.0  # a call of libvirt's waits for its guest's lock for 30 s (QEMU_JOB_WAIT_TIME)


class Slowing:
    """``order`` hands a job to other threads."""

    def __init__(self, state: State, looks: Looks, order: Callable[[Job], None]) -> None:
        self._state = state
        self._looks = looks
        self._order = order
        self._now = 0.0
        self._asked: dict[str, float] = {}  # when a guest's limit was last ordered to be taken back
        self._known: set[str] = set()  # whose limit was set, or not, by an order of this process's that ended
        self._missed: dict[str, float] = {}  # since when a limit that is to be taken back was not there

    def take_back(self, now: float) -> None:
        """Take back the limits of boots that nobody knows any more, and again those that could not be."""
        self._now = now
        slowed = {entry.uuid: entry for entry in self._state.held.entries if entry.kind == SLOWED}
        self._known &= slowed.keys()
        for told in (self._asked, self._missed):
            for uuid in told.keys() - slowed.keys():
                del told[uuid]
        if not self._state.begun:
            return
        for uuid, entry in slowed.items():
            run = self._state.runs.boots.get(uuid)
            if run is None or not run.slowed_iops:
                self._unslow(Job(order=Order.UNSLOW, uuid=uuid, id=entry.id, iops=entry.iops))

    def turn(self) -> None:
        """Slow who has just begun beyond the limit; let go whose turn has come."""
        state = self._state
        places: dict[str, int] = {}
        booting = [run for run in state.runs.boots.values() if run.boot.in_flight]
        for run in sorted(booting, key=lambda each: each.boot.started_at or 0.0):
            pool = pool_of(run.boot, state.limits)
            places[pool] = place = places.get(pool, 0) + 1
            over = place > state.limits[pool].limit
            if run.slowed_iops and not over:
                self.end(run)
            elif over and run.boot.managed and state.pacing.slow_managed and not run.slow_tried:
                self._begin(run)

    def end(self, run: Run) -> None:
        """Take the limit back, if there is one."""
        if (job := unslowing(run)) is not None:
            self._unslow(job)

    def _unslow(self, job: Job) -> None:
        asked = self._asked.get(job.uuid)
        if asked is None or self._now >= asked + _AGAIN_SECONDS:
            self._asked[job.uuid] = self._now
            self._order(job)

    def did(self, run: Run | None, did: Did) -> None:
        """What became of an order to slow a guest."""
        if not did.error:
            self._known.add(did.uuid)
        if did.done:
            if run is not None and run.guest.id == did.id:
                run.slowed = did.disks
            return
        if run is not None:
            run.slowed_iops = 0
        if did.error:  # who knows how far it came: take_back sees to it
            _LOG.warning("%s is not slowed: %s", did.uuid, did.error)
        else:
            self._state.drop(did.uuid)

    def undone(self, run: Run | None, did: Did) -> None:
        """What became of an order to take a limit back."""
        if did.error:
            _LOG.warning("the I/O limit of %s stays for now: %s", did.uuid, did.error)
            return
        if run is not None and run.guest.id == did.id:
            run.slowed, run.slowed_iops = (), 0
        entry = self._state.held.of(did.uuid)
        if entry is not None and entry.id == did.id and (did.done or not self._may_come(did.uuid)):
            self._state.drop(did.uuid)

    def _may_come(self, uuid: str) -> bool:
        """Whether a limit that is not there may yet be set: by a dead agent's call, or one that failed."""
        since = self._missed.setdefault(uuid, self._now)
        return uuid not in self._known and self._now < since + _PENDING_SECONDS

    def _begin(self, run: Run) -> None:
        guest, state = run.guest, self._state
        run.slow_tried = True
        if run.figures is not None or guest.id is None:  # only what has just begun
            return
        if state.held.of(guest.uuid) is not None:  # a limit that is being taken back
            return
        iops = state.pacing.slow_iops
        entry = replace(self._looks.entry(run, "over the limit"), kind=SLOWED, iops=iops)
        try:
            state.held.put(entry)
        except JournalError as error:
            _LOG.error("%s is not slowed: %s", guest.name, error)
            return
        run.slowed_iops = iops
        _LOG.info("slowing %s to %d I/Os a second until it is its turn", guest.name, iops)
        self._order(Job(order=Order.SLOW, uuid=guest.uuid, id=guest.id, iops=iops))


def unslowing(run: Run) -> Job | None:
    """The order that takes a guest's limit back; None without one."""
    if not run.slowed_iops or run.guest.id is None:
        return None
    return Job(
        order=Order.UNSLOW, uuid=run.guest.uuid, id=run.guest.id, iops=run.slowed_iops, disks=run.slowed
    )
