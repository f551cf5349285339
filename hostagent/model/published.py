"""What the agent tells others: its last report and its own state, as one document.

The agent writes it to run_dir/published.json (0640, group hostagent) after every look, and now and then as a
sign of life, and answers with the same over run_dir/agent.sock. The exporter and the command line read
nothing else of it.
"""

from __future__ import annotations

from collections.abc import Mapping  # noqa: TC003  the types are read at run time, by model.plain
from dataclasses import dataclass, field
from typing import Any

from hostagent.model.boot_told import BootsTold  # noqa: TC001  read at run time as well
from hostagent.model.budget import Budget, Level  # noqa: TC001
from hostagent.model.histogram import Histogram

SCHEMA = "hostagent.published/v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceHealth:
    """One section of the Snapshot. Times are seconds since the epoch, None if never.

    ``trouble`` is model.host.Trouble's word and ``reason`` an operator's line while it can't be read (both
    empty when it can); ``since`` is when that began; ``read_at`` is the last success.
    """

    section: str
    trouble: str = ""
    reason: str = ""
    since: float | None = None
    read_at: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Repairs:
    """How many steps for ``code`` ended as ``result`` since the agent's start.

    ``result`` is act.history.Did's word (done, failed, dropped, …), or "refused" for whole plans.
    """

    code: str
    result: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LoopCost:
    """What the agent itself costs: totals since its start, and its size now."""

    looks: int = 0
    look_seconds_sum: float = 0.0
    look_seconds_last: float = 0.0
    pulses: int = 0
    wakes: Mapping[str, int] = field(default_factory=dict)  # by what woke it: links, ovsdb, libvirt, timer, …
    cpu_seconds: float = 0.0
    resident_bytes: int = 0
    threads: int = 0
    descriptors: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """Why the agent does not act. ``kind`` is paused, latched, stopped (the stop file) or disabled.

    ``until`` is None when only a person ends it (hostagent resume; removing the stop file).
    """

    kind: str
    reason: str
    since: float
    until: float | None = None
    by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mute:
    """A check, or one object of it (``object`` empty: all), that shall not alert until ``until``.

    ``state`` and ``objects`` are how bad it was when it was muted: it lapses when the check clears or gets
    worse than that, unless ``sticky``.
    """

    code: str
    object: str = ""
    until: float
    reason: str
    by: str
    since: float
    sticky: bool = False
    state: str = ""
    objects: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftAlone:
    """A confirmed finding that the agent does not repair, and why, in the operator's words."""

    code: str
    object: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AdmissionCount:
    """How many starts the qemu hook's question had this result for since the agent's start.

    ``result`` is admitted, would-refuse (policy observe), recent (allowed because it ran here just before),
    refused, unknown (nothing to judge by) or late (the hook had given up); ``figure`` is what stops it.
    """

    result: str
    figure: str = ""
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Admissions:
    """The starts that the hook asked for; ``pending_bytes`` is what admitted ones have not yet taken."""

    counts: tuple[AdmissionCount, ...] = ()
    pending: int = 0
    pending_bytes: int = 0
    asked_at: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DhcpVerdict:
    """One layer's word on a network: ``state`` is ok, warn, crit or skip (it could not be tried).

    ``at`` is when that was found, None for layers that every look reads; ``latency_seconds`` the median of
    the server's answers.
    """

    layer: str
    state: str
    at: float | None = None
    latency_seconds: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DhcpNetwork:
    """A network with DHCP. ``overdue`` leases of running guests, None where guests are not known.

    ``renewals`` are guests' own, counted by what became of them while they are watched (dhcp.passive).
    """

    network: str
    server: str
    verdicts: tuple[DhcpVerdict, ...] = ()
    overdue: int | None = None
    renewals: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryTold:
    """The memory at the last look: its level, since when, and the budget with its guests left out."""

    at: float
    level: Level
    since: float
    budget: Budget


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """The document. ``report`` is the JSON of docs/schema/check-v1.json, with since and muted filled in.

    ``taken_at`` is when the look of the report began; ``alive_at`` is when the loop last said that it lives
    (after 8 s or a pulse). Older than ``fresh_seconds`` means stale. ``cycle`` is what the last cycle did,
    in words.
    """

    schema: str = SCHEMA
    version: str
    pid: int
    started_at: float
    taken_at: float
    alive_at: float
    fresh_seconds: float
    report: Mapping[str, Any]
    looks: int = 1
    look_seconds: float = 0.0
    cycle: str = ""
    sources: tuple[SourceHealth, ...] = ()
    repairs: tuple[Repairs, ...] = ()
    latency: Histogram = field(default_factory=Histogram)
    cost: LoopCost = field(default_factory=LoopCost)
    holds: tuple[Hold, ...] = ()
    mutes: tuple[Mute, ...] = ()
    left_alone: tuple[LeftAlone, ...] = ()
    dhcp: tuple[DhcpNetwork, ...] = ()
    last_repair_at: float | None = None
    config_reloaded_at: float | None = None
    config_problems: tuple[str, ...] = ()
    admission: Admissions = field(default_factory=Admissions)
    memory: MemoryTold | None = None
    boots: BootsTold | None = None
