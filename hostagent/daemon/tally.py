"""What the agent has done since its start, counted for metrics."""

from __future__ import annotations

import resource
import threading
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from hostagent.model.histogram import Histogram
from hostagent.model.published import LoopCost, Repairs

if TYPE_CHECKING:
    from collections.abc import Mapping


class Tally:
    """Counters of one agent; only the loop's thread writes them."""

    def __init__(self) -> None:
        self.last_repair_at: float | None = None
        self.done_at: list[float] = []  # seconds since the epoch, for the latch
        self._repairs: Counter[tuple[str, str]] = Counter()
        self._latency = Histogram()
        self._looks = 0
        self._pulses = 0
        self._look_sum = 0.0
        self._look_last = 0.0

    def looked(self, seconds: float) -> None:
        """One look took so long."""
        self._looks += 1
        self._look_sum += seconds
        self._look_last = seconds

    def pulsed(self) -> None:
        """The daemons were asked whether they live."""
        self._pulses += 1

    def ended(self, codes: tuple[str, ...], result: str) -> None:
        """A step for these codes came to ``result``."""
        for code in codes:
            self._repairs[code, result] += 1

    def repaired(self, latency_seconds: float | None) -> None:
        """A step is done and verified, so long after the event that showed the need for it."""
        now = time.time()
        self.last_repair_at = now
        self.done_at = [at for at in self.done_at if at > now - 3600.0] + [now]
        if latency_seconds is None:
            return
        old = self._latency
        self._latency = Histogram(
            counts=tuple(
                count + (latency_seconds <= le) for le, count in zip(old.le, old.counts, strict=True)
            ),
            sum=old.sum + latency_seconds,
            count=old.count + 1,
        )

    @property
    def latency(self) -> Histogram:
        """From event to verified repair, the grace included."""
        return self._latency

    def repairs(self) -> tuple[Repairs, ...]:
        """All steps by code and result."""
        return tuple(
            Repairs(code=code, result=result, count=count)
            for (code, result), count in sorted(self._repairs.items())
        )

    def cost(self, wakes: Mapping[str, int]) -> LoopCost:
        """What it took so far."""
        used = resource.getrusage(resource.RUSAGE_SELF)
        children = resource.getrusage(resource.RUSAGE_CHILDREN)
        return LoopCost(
            looks=self._looks,
            look_seconds_sum=self._look_sum,
            look_seconds_last=self._look_last,
            pulses=self._pulses,
            wakes=wakes,
            cpu_seconds=used.ru_utime + used.ru_stime + children.ru_utime + children.ru_stime,
            resident_bytes=_resident_bytes(),
            threads=threading.active_count(),
            descriptors=sum(1 for _ in Path("/proc/self/fd").iterdir()),
        )


def _resident_bytes() -> int:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize()
