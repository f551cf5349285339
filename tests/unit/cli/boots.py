"""Boots for the command line's tests: what an agent tells of them, and domains in place of libvirt's."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Self

from hostagent.act.boot.connection import GuestError
from hostagent.cli import boot_libvirt
from hostagent.model.boot_guests import BootGuest
from hostagent.model.boot_told import SETTLE_BUCKETS, BootsTold, GuestTold, PoolTold
from hostagent.model.boot_wish import BootWish
from hostagent.model.guests import DomainState, Manager
from hostagent.model.histogram import Histogram

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import pytest

NOW = 1_800_000_000.0
COUNTS = (0, 0, 2, 9, 15, 18, 19, 20, 20, 20, 20, 20)
STORM = BootsTold(
    at=NOW,
    pools=(
        PoolTold(
            pool="md0",
            kind="spinning",
            limit=6,
            booting=2,
            queued=2,
            target_seconds=0.04,
            latency_seconds=0.0312,
            iops=871.4,
            full_avg10=12.3,
            reason="below the target: 5 → 6",
        ),
        PoolTold(pool="node", kind="other", limit=8, booting=0, queued=1, target_seconds=0.02),
        PoolTold(
            pool="ceph:vms",
            kind="other",
            limit=1,
            booting=1,
            queued=0,
            target_seconds=0.02,
            latency_seconds=1.234,
            slow_since=NOW - 400,
            reason="latency 1234 ms is above twice the target",
        ),
    ),
    guests=(
        GuestTold(
            uuid="u1",
            name="win1",
            pool="md0",
            state="booting",
            since=NOW - 95,
            reason="1 quiet sample, takes no place",
            requests=45_210,
            iops=3.2,
            vcpu_share=0.042,
        ),
        GuestTold(
            uuid="u2",
            name="nova-7",
            pool="md0",
            state="booting",
            since=NOW - 30,
            reason="busy",
            managed="nova",
            slowed_iops=100,
        ),
        GuestTold(
            uuid="u3",
            name="dns",
            pool="md0",
            state="booting",
            since=NOW - 4,
            reason="busy",
            exempt=True,
            agent=True,
            requests=12,
            iops=0.0,
            vcpu_share=1.0,
        ),
        GuestTold(
            uuid="u4",
            name="db",
            pool="md0",
            state="held",
            since=NOW - 61,
            reason="6 boots running, limit 6",
            priority=5,
            expected_seconds=34.0,
        ),
        GuestTold(
            uuid="u5",
            name="evil\x1b[31m\nname",
            pool="md0",
            state="waiting",
            since=NOW - 700,
            reason="starts after db, which is held",
            after=("db",),
            expected_seconds=150.0,
        ),
        GuestTold(
            uuid="u6", name="late", pool="node", state="waiting", since=NOW - 1, reason="next start in 0.4 s"
        ),
        GuestTold(
            uuid="u7",
            name="stuck",
            pool="md0",
            state="timed out",
            since=NOW - 1200,
            reason="not settled after 600 s (boot.timeout_seconds is 600)",
        ),
    ),
    admissions={"limit": 20, "managed": 3, "exempt": 1, "late": 1},
    timed_out=2,
    held_seconds=1860.0,
    settled=Histogram(le=SETTLE_BUCKETS, counts=COUNTS, sum=640.0, count=20),
    released_at=NOW - 4,
)
IDLE = BootsTold(
    at=NOW,
    pools=(PoolTold(pool="node", kind="other", limit=8, booting=0, queued=0, target_seconds=0.02),),
)


def domain(name: str, after: str = "", *, autostart: bool = True, adopted: bool = False) -> BootGuest:
    """A shut-off domain that is persistent and nobody's."""
    return BootGuest(
        uuid=f"00000000-0000-4000-8000-{sum(map(ord, name)):012}",
        name=name,
        id=None,
        state=DomainState.SHUTOFF,
        autostart=autostart,
        wish=BootWish(after=tuple(after.split()), adopted=adopted),
    )


@dataclass
class FakeLibvirt:
    """Domains, and what was done to them; ``fails`` has the call and the name that libvirt refuses."""

    guests_: dict[str, BootGuest] = field(default_factory=dict)
    calls: list[tuple[str, str, object]] = field(default_factory=list)
    fails: set[tuple[str, str]] = field(default_factory=set)
    forgets: bool = False

    @classmethod
    def installed(cls, monkeypatch: pytest.MonkeyPatch) -> Self:
        """In place of libvirt; web after db, both with autostart; nova's cloud; off, which nobody starts."""
        fake = cls()
        cloud = replace(domain("cloud"), managers=frozenset({Manager.NOVA}))
        fake.hold((domain("db"), domain("web", "db"), cloud, domain("off", autostart=False)))
        monkeypatch.setattr(boot_libvirt, "BootReader", fake.reader)
        monkeypatch.setattr(boot_libvirt, "Guests", lambda _: fake)
        return fake

    def reader(self, _: str, *, managed: Sequence[str]) -> Self:
        """What the settings say that is managed is so, as the real reader has it."""
        for uuid, each in self.guests_.items():
            if each.name in managed:
                self.guests_[uuid] = replace(each, managers=frozenset({Manager.SITE}))
        return self

    def hold(self, guests: Iterable[BootGuest]) -> None:
        self.guests_ |= {each.uuid: each for each in guests}

    def named(self, name: str) -> BootGuest:
        (found,) = (each for each in self.guests_.values() if each.name == name)
        return found

    def guests(self) -> tuple[BootGuest, ...]:
        return tuple(each for _, each in sorted(self.guests_.items()))

    def guest(self, uuid: str) -> BootGuest | None:
        return self.guests_.get(uuid)

    def wish(self, uuid: str, wish: BootWish | None) -> None:
        self._note("wish", uuid, wish)
        if not self.forgets:
            self.guests_[uuid] = replace(self.guests_[uuid], wish=wish or BootWish())

    def autostart(self, uuid: str, *, on: bool) -> None:
        self._note("autostart", uuid, on)
        self.guests_[uuid] = replace(self.guests_[uuid], autostart=on)

    def _note(self, call: str, uuid: str, value: object) -> None:
        name = self.guests_[uuid].name
        if (call, name) in self.fails:
            raise GuestError(f"domain {uuid} can't be changed: disk full")
        self.calls.append((call, name, value))
