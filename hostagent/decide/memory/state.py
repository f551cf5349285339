"""How the host's memory is: MEMORY's states, entered at once and left once it was better for a while.

``advance`` is a pure update of (state, sample). A figure that is unknown neither makes anything worse nor
lets anything count as better.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from hostagent.decide.memory import counters
from hostagent.decide.memory.words import percent, ratio, size
from hostagent.model.budget import Level

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hostagent.model.budget import Budget
    from hostagent.model.memory import HostMemory

LEVELS: tuple[Level, ...] = tuple(Level)

_BETTER = 0.02  # points by which a figure must be better than what entered the state
_NEWS_SECONDS = 90.0  # an OOM kill makes the state low while it is so new
_AVAILABLE = ((Level.LOW, 0.02), (Level.HARD, 0.05), (Level.SOFT, 0.10), (Level.CLEAR, 0.20))
_CLEAR_RATIO = 1.1
_SOME_AVG60 = 0.10
_FULL_AVG10 = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """The figures that a state is decided on, at ``at`` seconds since the epoch; shares are of 1.

    ``used`` is needed/capacity; ``unmerge`` is U as a share of MemTotal.
    """

    at: float
    available: float | None
    ratio: float | None
    used: float | None
    unmerge: float | None
    some_avg60: float | None = None
    full_avg10: float | None = None
    swapping: bool | None = None
    oom_kills: int | None = None

    def now(self) -> Sample:
        """Only what is short now: as if nothing were promised or merged, and nothing were over."""
        return replace(self, ratio=None, used=0.0, unmerge=None, oom_kills=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryState:
    """The level since ``since``, the words for it, and since when the figures would allow a better one."""

    level: Level
    reasons: tuple[str, ...]
    since: float
    better_since: float | None = None


def sample_of(memory: HostMemory, budget: Budget) -> Sample:
    """The sample of one look."""
    pressure, swapped = memory.pressure, counters.swap_in(memory)
    broken_node = any(node.headroom < 0 for node in budget.nodes)
    used = None
    if budget.needed is not None:
        used = budget.needed / budget.capacity if budget.capacity > 0 else float(budget.needed > 0) * 2
    worst_node = max((node.needed / node.capacity for node in budget.nodes if node.capacity > 0), default=0.0)
    return Sample(
        at=memory.counters.at,
        available=None if memory.available is None else memory.available / memory.total,
        ratio=budget.ratio,
        used=None if used is None else max(used, worst_node, 1.01 if broken_node else 0.0),
        unmerge=None if budget.unmerge is None else budget.unmerge / memory.total,
        some_avg60=None if pressure is None else pressure.some_avg60 / 100,
        full_avg10=None if pressure is None else pressure.full_avg10 / 100,
        swapping=None if swapped is None else swapped.sustained,
        oom_kills=counters.oom_kills(memory, seconds=_NEWS_SECONDS),
    )


def judge(sample: Sample, better: float = 0.0) -> tuple[Level, tuple[str, ...]]:
    """The level that a sample has by itself, with its reasons; ``better`` moves every threshold."""
    found = list(_broken(sample, better))
    best = Level.UNKNOWN if sample.available is None else Level.HIGH
    level = max((each for each, _ in found), key=LEVELS.index, default=best)
    return level, tuple(words for each, words in found if each is level)


def advance(state: MemoryState | None, sample: Sample, calm_seconds: float) -> MemoryState:
    """The state after this sample; a better one once its figures held for ``calm_seconds``."""
    level, reasons = judge(sample)
    if state is None:
        return MemoryState(level=level, reasons=reasons, since=sample.at)
    if LEVELS.index(level) > LEVELS.index(state.level):
        return MemoryState(level=level, reasons=reasons, since=sample.at)
    if level is Level.UNKNOWN and state.level is Level.HIGH:
        return MemoryState(level=level, reasons=reasons, since=sample.at)
    if level is state.level:
        return MemoryState(level=level, reasons=reasons, since=state.since)
    held, words = judge(sample, _BETTER)
    if LEVELS.index(held) >= LEVELS.index(state.level) or _blind(sample):
        return MemoryState(level=state.level, reasons=words or state.reasons, since=state.since)
    better_since = sample.at if state.better_since is None else state.better_since
    if sample.at - better_since >= calm_seconds:
        return MemoryState(level=held, reasons=words, since=sample.at)
    return MemoryState(level=state.level, reasons=state.reasons, since=state.since, better_since=better_since)


def _blind(sample: Sample) -> bool:
    """Whether too little is known to call anything better."""
    return sample.available is None or sample.used is None


def _broken(sample: Sample, better: float) -> Iterator[tuple[Level, str]]:
    if sample.available is not None:
        for level, least in _AVAILABLE:
            if sample.available < least + better:
                yield level, f"{percent(sample.available)} of the memory is available"
                break
    if sample.ratio is not None and sample.ratio > _CLEAR_RATIO - better:
        yield Level.CLEAR, f"{ratio(sample.ratio)} is promised"
    if sample.unmerge is not None and sample.unmerge < better:
        yield Level.CLEAR, f"unmerging would leave {percent(sample.unmerge)} of the memory"
    if sample.used is not None and sample.used > 1 - better:
        yield Level.SOFT, f"{percent(sample.used)} of the budget is used"
    if sample.some_avg60 is not None and sample.some_avg60 > _SOME_AVG60 - better:
        yield Level.SOFT, f"something waited for memory {percent(sample.some_avg60)} of the last minute"
    if sample.full_avg10 is not None and sample.full_avg10 > _FULL_AVG10 - better:
        yield Level.HARD, f"everything waited for memory {percent(sample.full_avg10)} of the last 10 s"
    if sample.swapping:
        yield Level.HARD, f"pages come in from swap faster than {size(counters.SWAPPING_BYTES)}/s"
    if sample.oom_kills:
        yield Level.LOW, f"the OOM killer killed {sample.oom_kills}"
