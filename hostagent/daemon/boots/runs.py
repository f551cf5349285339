"""Which guests boot, wait, are held or are up: what each look at a domain changes. No I/O, no clock.

A run of a domain is known by its UUID and libvirt's id of that run.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from hostagent.model.boot import Boot, BootState, Progress, Queue
from hostagent.model.guests import DomainState

if TYPE_CHECKING:
    from hostagent.model.boot_guests import BootGuest, GuestFigures

_OFF = frozenset({DomainState.SHUTOFF, DomainState.CRASHED, DomainState.NOSTATE})
# libvirt's reason of a running state (virDomainRunningReason), where no event told how the run began.
CAUSES = {"booted": "booted", "migrated": "migrated", "restored": "restored", "from snapshot": "snapshot"}
_ARRIVED = {"migrated": "incoming", "restored": "restored", "snapshot": "reverted"}
_REBOOT_SECONDS = 2.0  # QEMU tells of one reset several times
KEPT_SECONDS = 3600.0  # a boot that timed out is told for so long


class Seen(StrEnum):
    """What a look at a domain came to."""

    NEW = "new"  # a run that nobody knew yet, and that may be a boot
    KNOWN = "known"
    GONE = "gone"
    PAUSED = "paused"  # by somebody else
    RESUMED = "resumed"  # a held one, by a person


@dataclass(slots=True, kw_only=True)
class Run:
    """One boot.

    ``suspended``: it is paused by us, and the held list has it. ``slowed_iops``: its disks have our limit;
    ``slowed`` names them, or none for all. ``note`` is why it still waits; ``retry_at`` is when what failed
    is tried again, a start ``failed`` times.
    """

    guest: BootGuest
    boot: Boot
    progress: Progress | None = None
    suspended: bool = False
    slowed: tuple[str, ...] = ()
    slowed_iops: int = 0
    slow_tried: bool = False
    figures: GuestFigures | None = None
    figures_at: float | None = None
    iops: float | None = None
    vcpu_share: float | None = None
    leases: dict[str, float] = field(default_factory=dict)
    lease: bool = False
    note: str = ""
    expected: float | None = None
    failed: int = 0
    retry_at: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Up:
    """A run that is no boot. ``paused``: somebody else paused it; ``boots``: it has yet to boot then."""

    id: int
    name: str
    paused: bool = False
    boots: bool = False


class Runs:
    """All runs, by the UUIDs of their domains."""

    def __init__(self) -> None:
        self.boots: dict[str, Run] = {}
        self.up: dict[str, Up] = {}
        self.counts: Counter[str] = Counter()
        self.admitted_at: float | None = None
        self.typical: float | None = None

    def queue(self, stopped: str) -> Queue:
        """What decide.boot sees of it."""
        return Queue(
            boots=tuple(run.boot for run in self.boots.values()),
            up=frozenset(each.name for each in self.up.values() if not each.paused),
            admitted_at=self.admitted_at,
            typical_seconds=self.typical,
            stopped=stopped,
        )

    def wait(self, guest: BootGuest, now: float) -> None:
        """A shut-off guest that the agent is to start."""
        boot = _boot(guest, now, BootState.WAITING)
        self.boots[guest.uuid] = Run(guest=guest, boot=boot)

    def see(self, guest: BootGuest, *, cause: str = "", rebooted: bool = False, now: float) -> Seen:
        """Take up a look. ``cause`` is the STARTED event's word, "" without one."""
        if guest.id is None or guest.state in _OFF:
            return self._off(guest)
        paused = guest.state is DomainState.PAUSED
        run, up = self.boots.get(guest.uuid), self.up.get(guest.uuid)
        if paused and guest.reason == "starting up":  # by libvirt, until all is set: STARTED is still to come
            if run is None or not self._same(run, guest):
                self.forget(guest.uuid)
            return Seen.KNOWN
        if run is not None and self._same(run, guest):
            return self._known(run, guest, paused=paused, rebooted=rebooted, now=now)
        if up is not None and up.id == guest.id:
            return self._again(up, guest, paused=paused, rebooted=rebooted, now=now)
        self.forget(guest.uuid)
        cause = cause or CAUSES.get(guest.reason, "")
        if cause in _ARRIVED:
            self.counts[_ARRIVED[cause]] += 1
        if paused:  # one that migrates in is, until its memory is here
            boots = cause in {"", "booted"} and guest.reason != "migration"
            self.up[guest.uuid] = Up(id=guest.id, name=guest.name, paused=True, boots=boots)
            return Seen.PAUSED
        if cause in _ARRIVED:
            self.settle(guest)
            return Seen.KNOWN
        return Seen.NEW

    def candidate(self, guest: BootGuest, now: float) -> Run:
        """A new run that may be held: whether it is decides the queue."""
        run = Run(guest=guest, boot=_boot(guest, now, BootState.HELD))
        self.boots[guest.uuid] = run
        return run

    def count(self, guest: BootGuest, why: str, now: float) -> Run:
        """A boot that goes on, for this reason."""
        run = Run(guest=guest, boot=_boot(guest, now, BootState.BOOTING))
        self.boots[guest.uuid] = run
        self.go(run, why, now)
        return run

    def go(self, run: Run, why: str, now: float) -> None:
        """The boot is under way from now on."""
        self.up.pop(run.guest.uuid, None)
        run.boot = replace(run.boot, state=BootState.BOOTING, quiet=False, started_at=now, ended_at=None)
        run.progress = Progress(started_at=now)
        run.note, run.expected, run.lease = "", None, False
        run.figures = run.figures_at = run.iops = run.vcpu_share = None
        self.counts[why] += 1

    def back(self, run: Run, state: BootState, note: str) -> None:
        """It could not be started or resumed: it waits on."""
        run.boot = replace(run.boot, state=state, started_at=None)
        run.progress, run.note = None, note

    def settle(self, guest: BootGuest) -> None:
        """It is up."""
        self.boots.pop(guest.uuid, None)
        if guest.id is not None:
            self.up[guest.uuid] = Up(id=guest.id, name=guest.name)

    def forget(self, uuid: str) -> None:
        """Whatever is known of the domain's run is over."""
        self.boots.pop(uuid, None)
        self.up.pop(uuid, None)

    def grow_old(self, now: float) -> None:
        """Boots that timed out long ago are runs like others."""
        for run in tuple(self.boots.values()):
            ended = run.boot.ended_at
            if run.boot.state is BootState.TIMED_OUT and ended is not None and now - ended > KEPT_SECONDS:
                self.settle(run.guest)

    @staticmethod
    def _same(run: Run, guest: BootGuest) -> bool:
        """Whether it is the run that was known: the one that the agent itself started gets its id here."""
        if run.guest.id is None:
            return run.boot.state is BootState.BOOTING
        return run.guest.id == guest.id

    def _off(self, guest: BootGuest) -> Seen:
        run = self.boots.get(guest.uuid)
        if run is not None and run.guest.id is None:  # it waits for its start, or is being started
            run.guest = guest
            run.boot = _wishes(run.boot, guest)
            return Seen.KNOWN
        self.forget(guest.uuid)
        return Seen.GONE

    def _known(self, run: Run, guest: BootGuest, *, paused: bool, rebooted: bool, now: float) -> Seen:
        run.guest = guest
        run.boot = _wishes(run.boot, guest)
        state = run.boot.state
        if state is BootState.HELD:
            if paused or not run.suspended:
                return Seen.KNOWN
            self.go(run, "resumed", now)
            run.suspended = False
            return Seen.RESUMED
        if paused and guest.id is not None:
            if not run.suspended:  # it may be our own, on its way back from a resume
                self.boots.pop(guest.uuid)
                boots = state is BootState.BOOTING
                self.up[guest.uuid] = Up(id=guest.id, name=guest.name, paused=True, boots=boots)
                return Seen.PAUSED
        elif rebooted and now - (run.boot.started_at or 0.0) > _REBOOT_SECONDS:
            self.go(run, "reboot", now)
        return Seen.KNOWN

    def _again(self, up: Up, guest: BootGuest, *, paused: bool, rebooted: bool, now: float) -> Seen:
        if paused:
            self.up[guest.uuid] = replace(up, paused=True)
            return Seen.PAUSED
        if up.paused and up.boots:
            self.count(guest, "managed" if guest.managers else "paused", now)
        elif rebooted:
            self.count(guest, "reboot", now)
        else:
            self.up[guest.uuid] = replace(up, paused=False)
        return Seen.KNOWN


def managed_by(guest: BootGuest) -> str:
    """Who runs it, or ""."""
    return ", ".join(sorted(guest.managers))


def _boot(guest: BootGuest, now: float, state: BootState) -> Boot:
    return _wishes(
        Boot(
            uuid=guest.uuid,
            name=guest.name,
            requested_at=now,
            state=state,
            pool=guest.pool.name,
            managed=managed_by(guest),
        ),
        guest,
    )


def _wishes(boot: Boot, guest: BootGuest) -> Boot:
    """Its priority and dependencies may be changed while it waits."""
    wish = guest.wish
    return replace(
        boot,
        name=guest.name,
        priority=wish.priority,
        after=wish.after,
        exempt=wish.exempt,
        pool=guest.pool.name,
    )
