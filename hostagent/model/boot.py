"""Guests that boot: what is counted of their disks, what waits, and what was decided about each.

Nothing here knows more than libvirt's bulk statistics, /proc/diskstats and /proc/pressure/io give.
Times are seconds on the monotonic clock.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

NODE_POOL = "node"  # of guests whose disks are in no pool that is known


class DiskClass(StrEnum):
    """What a pool's disks are, as far as its target latency goes."""

    NVME = "nvme"
    SSD = "ssd"
    SPINNING = "spinning"
    OTHER = "other"


class BootState(StrEnum):
    """Where a boot is. A waiting guest was not started yet, a held one was started and is suspended."""

    WAITING = "waiting"
    HELD = "held"
    BOOTING = "booting"
    SETTLED = "settled"
    TIMED_OUT = "timed out"


QUEUED = frozenset({BootState.WAITING, BootState.HELD})


@dataclass(frozen=True, slots=True, kw_only=True)
class DiskStats:
    """Counters of one disk since it appeared: reads and writes together.

    ``busy_seconds`` is the sum of every request's own time (rd.times + wr.times of bulk statistics; fields 4
    and 8 of /proc/diskstats). ``in_flight`` is None where the source does not say (bulk statistics).
    """

    requests: int
    busy_seconds: float
    in_flight: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolRead:
    """One read of all disks of a pool, by a name that lasts as long as the counters do."""

    at: float
    disks: Mapping[str, DiskStats]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """What a pool did between two reads.

    ``latency_seconds`` is None when nothing completed. ``psi_full_avg10`` is a percentage, None when unread.
    ``stalled``: requests are in flight and not one completed.
    """

    at: float
    latency_seconds: float | None
    iops: float
    completed: int
    psi_full_avg10: float | None = None
    stalled: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Flight:
    """Who is under way in a pool: boots in flight, managed and exempt ones too, and boots that wait.

    ``reading`` are those of the boots in flight that do I/O now, None where that is not known.
    """

    booting: int
    waiting: int
    reading: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitState:
    """How many guests of a pool may boot at once, and how that came about.

    ``latency_seconds`` is W, the moving average, as of ``measured_at``; None while too little completes to
    know. ``cut_at`` and ``grown_at`` are None until it happens first. ``slow_since``: every sample since then
    was above boot.cut_latency_ratio times the target, or nothing completed. ``reason`` says what the last
    sample led to.
    """

    limit: int
    target_seconds: float
    latency_seconds: float | None = None
    iops: float = 0.0
    psi_full_avg10: float | None = None
    stalled: bool = False
    at: float | None = None
    measured_at: float | None = None
    cut_at: float | None = None
    grown_at: float | None = None
    slow_since: float | None = None
    reason: str = "no sample yet"


@dataclass(frozen=True, slots=True, kw_only=True)
class Boot:
    """One guest's start. ``after`` are names of domains that must be settled first.

    ``managed`` names who runs the domain ("nova"; "" for nobody): it is counted and never held.
    ``urged``: a person said go. ``quiet``: it boots, and seems to be up: at the last sample it hardly did
    anything. ``ended_at`` is when it settled or timed out.
    """

    uuid: str
    name: str
    requested_at: float
    state: BootState
    pool: str = NODE_POOL
    priority: int = 0
    after: tuple[str, ...] = ()
    exempt: bool = False
    managed: str = ""
    urged: bool = False
    quiet: bool = False
    started_at: float | None = None
    ended_at: float | None = None

    @property
    def queued(self) -> bool:
        """Whether it is the agent's to release: a managed domain never is."""
        return self.state in QUEUED and not self.managed

    @property
    def in_flight(self) -> bool:
        """Whether it takes a place of the limit: one that has gone quiet gives its place to the next.

        When it turns busy before it has settled, it counts again, and nobody else goes until there is room.
        """
        return self.state is BootState.BOOTING and not self.quiet


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """A STARTED event, with what a look at the guest showed right after it.

    ``cause`` is the event's detail in libvirt's own word (booted, migrated, restored, from snapshot, woken
    up); ``paused`` says who or what paused the guest, or ""; ``requests`` is how many I/Os it did already.
    """

    cause: str
    paused: str = ""
    requests: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue:
    """All boots known now.

    ``up`` names guests that run without a boot in this queue; ``admitted_at`` is the last release;
    ``typical_seconds`` is how long boots take here, as far as seen; ``stopped`` is why a person stopped all
    releases, or "".
    """

    boots: tuple[Boot, ...]
    up: frozenset[str] = field(default_factory=frozenset)
    admitted_at: float | None = None
    typical_seconds: float | None = None
    stopped: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Admit:
    """This guest starts, or is resumed, now."""

    uuid: str
    name: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """This guest waits on; ``expected_seconds`` is None where nothing can be said."""

    uuid: str
    name: str
    reason: str
    expected_seconds: float | None = None


Decision = Admit | Wait


@dataclass(frozen=True, slots=True, kw_only=True)
class GuestLook:
    """What is seen of a guest at one sample; None where it can't be read.

    ``vcpu_share`` is the part of its vCPUs' time that it used since the look before, 0 to 1.
    """

    at: float
    iops: float | None = None
    vcpu_share: float | None = None
    agent: bool = False
    lease: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far one boot has come. ``quiet`` counts quiet samples in a row; ``reason`` is why it ended."""

    started_at: float
    state: BootState = BootState.BOOTING
    peak_iops: float = 0.0
    quiet: int = 0
    agent_at: float | None = None
    ended_at: float | None = None
    reason: str = ""
