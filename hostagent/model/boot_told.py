"""What the agent tells of boots: the limits, who is under way, who waits and why. Times are epoch seconds."""

from __future__ import annotations

from collections.abc import Mapping  # noqa: TC003  the types are read at run time, by model.plain
from dataclasses import dataclass, field

from hostagent.model.histogram import Histogram

SETTLE_BUCKETS = (5.0, 10.0, 20.0, 40.0, 60.0, 90.0, 120.0, 180.0, 300.0, 600.0, 1200.0, 3600.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolTold:
    """One storage pool. Latency and its target are in seconds, None while it is not known.

    ``booting`` counts boots that take a place, managed and exempt too; ``queued`` who waits or is held.
    ``full_avg10`` is the node's I/O pressure in percent. ``reason`` is what the last sample led to.
    ``slow_since`` is model.boot.LimitState's: since when latency is far above its target.
    """

    pool: str
    kind: str
    limit: int
    booting: int
    queued: int
    target_seconds: float
    latency_seconds: float | None = None
    iops: float = 0.0
    full_avg10: float | None = None
    reason: str = ""
    slow_since: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GuestTold:
    """One boot. ``state`` is model.boot.BootState's word; ``since`` is when it came to that.

    ``reason`` is why it waits, or what it waits for to be taken for settled. ``requests`` are its I/Os so
    far, ``iops`` and ``vcpu_share`` (0 to 1) those of the last sample. ``slowed_iops`` is the temporary block
    I/O limit of a managed guest, 0 for none.
    """

    uuid: str
    name: str
    pool: str
    state: str
    since: float
    reason: str = ""
    priority: int = 0
    after: tuple[str, ...] = ()
    managed: str = ""
    exempt: bool = False
    expected_seconds: float | None = None
    requests: int | None = None
    iops: float | None = None
    vcpu_share: float | None = None
    agent: bool = False
    slowed_iops: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class BootsTold:
    """All of it. ``halted`` is why the agent neither holds nor releases (stop file, pause), or "".

    ``hold`` is why a person stopped all releases (hostagent boot hold), or "". ``guests`` are boots in
    flight, those that wait, in the order of their turns, and those that timed out within the last hour.
    ``admissions`` counts boots by why they went on: limit, exempt, urged, managed, late (it did I/O already),
    paused (it was started paused), resumed (held, and a person resumed it), incoming, restored, reverted,
    reboot, halted. ``unknown_since`` is when the agent lost sight of libvirt.
    """

    at: float
    enabled: bool = True
    halted: str = ""
    hold: str = ""
    unknown_since: float | None = None
    pools: tuple[PoolTold, ...] = ()
    guests: tuple[GuestTold, ...] = ()
    admissions: Mapping[str, int] = field(default_factory=dict)
    timed_out: int = 0
    held_seconds: float = 0.0
    settled: Histogram = field(
        default_factory=lambda: Histogram(le=SETTLE_BUCKETS, counts=(0,) * len(SETTLE_BUCKETS))
    )
    released_at: float | None = None
