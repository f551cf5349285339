"""A libvirt of the tests' own, on its own clock."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from hostagent.daemon.boots.messages import Told
from hostagent.model.boot import DiskStats
from hostagent.model.boot_guests import BootGuest, Figures, GuestFigures
from hostagent.model.boot_wish import BootWish
from hostagent.model.guests import DomainState, Manager

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


BOOT_SECONDS = 30.0  # of running: so long a guest reads, then it is quiet


class Killed(BaseException):
    """The agent dies here."""


@dataclass(slots=True, kw_only=True)
class Domain:
    """One domain. ``person``: it was a person who paused it last; ``ran`` is for how long this run ran."""

    name: str
    wish: BootWish = field(default_factory=BootWish)
    managers: frozenset[Manager] = frozenset()
    id: int | None = None
    paused: bool = False
    person: bool = False
    ran: float = 0.0
    limit: int = 0

    @property
    def uuid(self) -> str:
        return f"uuid-{self.name}"


class World:
    """Plays libvirt for a reader and for whoever acts, and counts what happens to guests."""

    def __init__(self, names: Sequence[str], **other: Any) -> None:
        self.domains = {f"uuid-{name}": Domain(name=name, **other) for name in names}
        self.now = 0.0
        self.events: deque[Told] = deque()
        self.next_id = 1
        self.fuse: int | None = None  # so many calls until the agent dies
        self.resumed_of_persons = 0
        self._late: list[tuple[float, Callable[[], object]]] = []

    def pass_by(self, seconds: float) -> None:
        """Time passes for guests that run, and for what libvirt has still to do."""
        self.now += seconds
        for due in [each for each in self._late if each[0] <= self.now]:
            self._late.remove(due)
            due[1]()
        for each in self.domains.values():
            if each.id is not None and not each.paused:
                each.ran += seconds

    def begin(self, uuid: str, *, paused: bool = False) -> None:
        """Somebody starts a guest."""
        domain = self.domains[uuid]
        if domain.id is None:
            domain.id, domain.ran, domain.paused, domain.person = self.next_id, 0.0, paused, paused
            self.next_id += 1
            self._event(uuid, "started", "booted")

    def person(self, uuid: str, *, pause: bool) -> None:
        """A person suspends or resumes a guest."""
        domain = self.domains[uuid]
        if domain.id is not None and domain.paused != pause:
            domain.paused, domain.person = pause, pause
            self._event(uuid, "suspended" if pause else "resumed", "")

    def _event(self, uuid: str, event: str, detail: str) -> None:
        self.events.append(Told(uuid=uuid, event=event, detail=detail))

    def _called(self) -> None:
        if self.fuse is not None:
            self.fuse -= 1
            if self.fuse < 0:
                self.fuse = None
                raise Killed

    # What a reader asks.
    def guest(self, uuid: str) -> BootGuest | None:
        self._called()
        return self._guest(self.domains[uuid])

    def guests(self) -> tuple[BootGuest, ...]:
        self._called()
        return tuple(self._guest(each) for each in self.domains.values())

    def figures_of(self, uuid: str) -> GuestFigures | None:
        self._called()
        return self._figures(self.domains[uuid]) if self.domains[uuid].id is not None else None

    def figures(self) -> Figures:
        return Figures(
            at=self.now,
            by_uuid={uuid: self._figures(one) for uuid, one in self.domains.items() if one.id is not None},
        )

    def _guest(self, one: Domain) -> BootGuest:
        state = DomainState.PAUSED if one.paused else DomainState.RUNNING
        return BootGuest(
            uuid=one.uuid,
            name=one.name,
            id=one.id,
            state=DomainState.SHUTOFF if one.id is None else state,
            reason="user" if one.paused else "booted" if one.id is not None else "",
            wish=one.wish,
            managers=one.managers,
        )

    @staticmethod
    def _figures(one: Domain) -> GuestFigures:
        requests = int(max(0.0, min(one.ran, BOOT_SECONDS) - 1.0) * 100)  # its firmware reads nothing yet
        disk = DiskStats(requests=requests, busy_seconds=requests * 0.005)
        return GuestFigures(disks={"vda": disk}, vcpu_seconds=min(one.ran, BOOT_SECONDS), vcpus=1)

    # What whoever acts asks.
    def suspend(self, uuid: str, run: int) -> bool:
        try:
            self._called()
        except Killed:
            self._late.append((self.now + 3.0, lambda: self._suspend(uuid, run)))
            raise
        done = self._suspend(uuid, run)
        self._called()
        return done

    def _suspend(self, uuid: str, run: int) -> bool:
        domain = self.domains[uuid]
        if domain.id != run or domain.paused:
            return False
        domain.paused, domain.person = True, False
        self._event(uuid, "suspended", "")
        return True

    def resume(self, uuid: str, run: int) -> bool:
        self._called()
        domain = self.domains[uuid]
        if domain.id != run or not domain.paused:
            return False
        self.resumed_of_persons += domain.person
        domain.paused = False
        self._event(uuid, "resumed", "")
        self._called()
        return True

    def start(self, uuid: str) -> int:
        self._called()
        self.begin(uuid)
        number = self.domains[uuid].id
        assert number is not None
        self._called()
        return number

    def saved(self, uuid: str) -> bool:
        return uuid not in self.domains

    def slow(self, uuid: str, run: int, iops: int) -> tuple[str, ...]:
        try:
            self._called()
        except Killed:  # libvirt goes on with what it was asked, when it gets its guest's lock
            self._late.append((self.now + 4.0, lambda: self._limit(uuid, run, iops)))
            raise
        done = self._limit(uuid, run, iops)
        self._called()
        return done

    def _limit(self, uuid: str, run: int, iops: int) -> tuple[str, ...]:
        domain = self.domains[uuid]
        if domain.id != run or domain.limit:
            return ()
        domain.limit = iops
        return ("vda",)

    def unslow(self, uuid: str, run: int, disks: Sequence[str], iops: int) -> bool:
        self._called()
        assert set(disks) <= {"vda"}
        domain = self.domains[uuid]
        ours = domain.id == run and domain.limit == iops
        domain.limit = 0 if ours else domain.limit
        self._called()
        return ours
