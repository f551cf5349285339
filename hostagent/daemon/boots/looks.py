"""Looks at domains and takes up what they show: who is new, who was ours before this process."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from hostagent.daemon.boots.runs import CAUSES, Seen
from hostagent.decide.boot.gate import why_not_held
from hostagent.decide.boot.releasing import Kind, age_of, task
from hostagent.model.boot import BootState, Started
from hostagent.model.boot_held import HELD, SLOWED, Held
from hostagent.model.guests import DomainState

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from hostagent.daemon.boots.runs import Run
    from hostagent.daemon.boots.saved import SavedRun
    from hostagent.daemon.boots.seams import Reads
    from hostagent.daemon.boots.state import State
    from hostagent.model.boot_guests import BootGuest, GuestFigures

_LOG = logging.getLogger("hostagent")
# A run that is found without its event and has used more than this has booted before somebody looked.
YOUNG_SECONDS = 30.0
LATE_SECONDS = 10.0  # so long after an agent died libvirt may yet suspend whom it asked for


@dataclass(slots=True, kw_only=True)
class Event:
    """What libvirt told of a domain since the last look: ``cause`` is its STARTED event's word."""

    cause: str = ""
    rebooted: bool = False


class Looks:
    """Reads domains over a connection of its own, for the pacer's thread alone.

    ``is_saved`` tells whether a shut-off guest was saved to disk.
    """

    def __init__(self, state: State, reader: Reads, is_saved: Callable[[str], bool]) -> None:
        self._state = state
        self._is_saved = is_saved
        self._reader = reader
        self._saved: Mapping[str, SavedRun] = {}
        self._running: dict[str, float] = {}  # since when a guest runs that is said to be held

    def recall(self, saved: Mapping[str, SavedRun]) -> None:
        """What an agent before this one knew, taken up as its guests are seen."""
        self._saved = saved

    def one(self, uuid: str, event: Event, now: float) -> None:
        """Look at one domain.

        Raises:
            SourceError: libvirt did not say.
        """
        guest = self._reader.guest(uuid)
        if guest is None:
            self._state.guests.pop(uuid, None)
            self._lost(uuid)
            self._state.runs.forget(uuid)
        else:
            self._take(guest, event, now)

    def all(self, events: Mapping[str, Event], now: float) -> None:
        """Look at every domain.

        Raises:
            SourceError: libvirt did not say.
        """
        found = {guest.uuid: guest for guest in self._reader.guests()}
        for uuid in self._state.guests.keys() - found.keys():
            self._lost(uuid)
            self._state.runs.forget(uuid)
        self._state.guests = {}
        for guest in found.values():
            self._take(guest, events.get(guest.uuid), now)
        self._saved = {}
        self._state.drop(*(each.uuid for each in self._state.held.entries if each.uuid not in found))

    def _take(self, guest: BootGuest, event: Event | None, now: float) -> None:
        state = self._state
        state.guests[guest.uuid] = guest
        state.know([guest.pool])
        if self._ours(guest, now) or self._before(guest, now):
            return
        cause = event.cause if event is not None else ""
        rebooted = event is not None and event.rebooted
        seen = state.runs.see(guest, cause=cause, rebooted=rebooted, now=now)
        if seen is Seen.NEW:
            self._new(guest, cause, told=event is not None, now=now)
        elif seen is Seen.RESUMED:
            _LOG.info("%s was held and somebody resumed it", guest.name)
            state.drop(guest.uuid)
        elif seen is Seen.GONE:
            self._lost(guest.uuid)

    def _new(self, guest: BootGuest, cause: str, *, told: bool, now: float) -> None:
        """A run that nobody knew: to be held perhaps, to be counted, or up since long ago."""
        runs = self._state.runs
        figures = self._reader.figures_of(guest.uuid)
        requests = 0 if figures is None else figures.requests
        if not told and requests and not _young(figures):
            runs.settle(guest)
            return
        run = runs.candidate(guest, now)
        cause = cause or CAUSES.get(guest.reason, "booted")
        why = why_not_held(run.boot, Started(cause=cause, requests=requests))
        if run.boot.managed:
            runs.go(run, "managed", now)
        elif run.boot.exempt:
            runs.go(run, "exempt", now)
        elif cause != "booted":
            runs.settle(guest)
        elif requests:
            _LOG.info("%s is not held: it %s", guest.name, why)
            runs.go(run, "late", now)

    def _ours(self, guest: BootGuest, now: float) -> bool:
        """Whether the guest is one that an earlier agent suspended, and takes it up then."""
        state = self._state
        entry, known = state.held.of(guest.uuid), state.runs.boots.get(guest.uuid)
        if entry is None or entry.kind != HELD or (known is not None and known.suspended):
            return False
        figures = None if guest.id is None else self._reader.figures_of(guest.uuid)
        saved = guest.id is None and self._is_saved(guest.uuid)
        age = age_of(entry, now=time.time(), uptime=time.monotonic())
        due = task(entry, guest, figures, boot_id=state.boot_id, saved=saved, age=age)
        unsure = self._unsure(entry, guest, now)
        if unsure and guest.state is DomainState.RUNNING:
            if known is None:
                state.runs.count(guest, "late", now)
            return True
        if due.kind is Kind.FORGET or unsure is False:
            why = due.reason if due.kind is Kind.FORGET else "it ran, and somebody paused it: it is left so"
            _LOG.info("%s is not held any more: %s", guest.name, why)
            state.drop(guest.uuid)
            return False
        if due.kind is not Kind.RESUME:
            return False
        if (entry.boot_id, entry.id) != (state.boot_id, guest.id):
            state.held.put(_entry(guest, figures, state.boot_id, entry.reason))
        run = state.runs.candidate(guest, now)
        run.suspended = True
        if (saved_run := self._saved.get(guest.uuid)) is not None and saved_run.id == guest.id:
            boot = saved_run.boot
            run.boot = replace(run.boot, requested_at=boot.requested_at, urged=boot.urged)
        return True

    def _unsure(self, entry: Held, guest: BootGuest, now: float) -> bool | None:
        """Whether a guest that was seen to run may yet be suspended: an agent asked for it as it died.

        That agent was not there to note the guest's counters. None for others; a pause that comes later is
        somebody's own.
        """
        if entry.vcpu_seconds is not None or (entry.boot_id, entry.id) != (self._state.boot_id, guest.id):
            return None
        if guest.state is DomainState.RUNNING:
            self._running.setdefault(guest.uuid, now)
        since = self._running.get(guest.uuid)
        return None if since is None else now < since + LATE_SECONDS

    def _before(self, guest: BootGuest, now: float) -> bool:
        """Whether an earlier agent knew the guest's boot, and takes it up then."""
        saved, runs = self._saved.get(guest.uuid), self._state.runs
        if saved is None or guest.uuid in runs.boots or saved.id != guest.id:
            return False
        if saved.boot.state is BootState.WAITING and guest.id is None:
            runs.wait(guest, now)
        elif saved.boot.state in {BootState.BOOTING, BootState.TIMED_OUT} and guest.id is not None:
            if guest.state is DomainState.PAUSED:
                return False
            runs.candidate(guest, now)
        else:
            return False
        run = runs.boots[guest.uuid]
        run.boot = replace(saved.boot, name=guest.name)
        run.progress = saved.progress
        entry = self._state.held.of(guest.uuid)
        if entry is not None and entry.kind == SLOWED and entry.id == guest.id:
            run.slowed, run.slowed_iops = entry.disks, entry.iops
        run.slow_tried = True
        return True

    def _lost(self, uuid: str) -> None:
        """The run is over, and nothing of it is left to take back, unless it was saved while it was held."""
        if self._state.held.of(uuid) is not None and not self._is_saved(uuid):
            self._state.drop(uuid)

    def entry(self, run: Run, reason: str) -> Held:
        """What the held list must say of a guest before it is suspended."""
        return _entry(run.guest, run.figures, self._state.boot_id, reason)

    def figures(self, uuid: str) -> GuestFigures | None:
        """Its counters now.

        Raises:
            SourceError: libvirt did not say.
        """
        return self._reader.figures_of(uuid)


def _entry(guest: BootGuest, figures: GuestFigures | None, boot_id: str, reason: str) -> Held:
    return Held(
        uuid=guest.uuid,
        name=guest.name,
        id=-1 if guest.id is None else guest.id,
        boot_id=boot_id,
        since=time.time(),
        reason=reason,
        kind=HELD,
        requests=None if figures is None else figures.requests,
        vcpu_seconds=None if figures is None else figures.vcpu_seconds,
    )


def _young(figures: GuestFigures | None) -> bool:
    return figures is None or figures.vcpu_seconds is None or figures.vcpu_seconds < YOUNG_SECONDS
