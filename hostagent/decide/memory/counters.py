"""What the kernel's counters did lately: pages that came in from swap, and kills by the OOM killer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hostagent.model.memory import Counters, HostMemory

SUSTAINED_SECONDS = 60.0
SWAPPING_BYTES = 1 << 20  # coming in from swap faster than this each second is swapping


@dataclass(frozen=True, slots=True, kw_only=True)
class SwapIn:
    """Bytes a second that came in from swap, over the last ``seconds``."""

    rate: float
    seconds: float

    @property
    def sustained(self) -> bool:
        """Whether guests wait for swap, rather than something old having come back once."""
        return self.rate > SWAPPING_BYTES and self.seconds >= SUSTAINED_SECONDS


def swap_in(memory: HostMemory) -> SwapIn | None:
    """The rate since about a minute ago; None without an earlier look.

    Without swap it is 0 whatever the counter says.
    """
    now = memory.counters
    if not memory.swaps:
        return SwapIn(rate=0.0, seconds=SUSTAINED_SECONDS)
    before = _before(memory, SUSTAINED_SECONDS)
    if now.swapped_in is None or before is None or before.swapped_in is None or before.at >= now.at:
        return None
    seconds = now.at - before.at
    return SwapIn(rate=(now.swapped_in - before.swapped_in) * memory.page_bytes / seconds, seconds=seconds)


def oom_kills(memory: HostMemory, *, seconds: float) -> int | None:
    """How many there were in about the last ``seconds``; None if no earlier look can tell.

    A counter that never rose since boot needs no earlier look.
    """
    now = memory.counters.oom_kills
    if now is None:
        return None
    if now == 0:
        return 0
    past = [each for each in memory.past if each.at >= memory.counters.at - seconds]
    before = past[0] if past else (memory.past[-1] if memory.past else None)
    return None if before is None or before.oom_kills is None else now - before.oom_kills


def _before(memory: HostMemory, seconds: float) -> Counters | None:
    """The youngest earlier look that is at least so old, or else the oldest."""
    old = [each for each in memory.past if each.at <= memory.counters.at - seconds]
    return old[-1] if old else (memory.past[0] if memory.past else None)
