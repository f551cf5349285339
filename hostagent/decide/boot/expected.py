"""How long each guest in the queue will wait, if every boot takes as long as boots take here."""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING

from hostagent.model.boot import NODE_POOL, BootState

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hostagent.config import Pacing
    from hostagent.model.boot import Boot, LimitState, Queue


class Expected:
    """Plays the queue ahead, pool by pool, while its guests are asked about in the order of their turns."""

    def __init__(self, queue: Queue, limits: Mapping[str, LimitState], *, now: float, pacing: Pacing) -> None:
        self._limits, self._now = limits, now
        self._typical = queue.typical_seconds or pacing.typical_seconds
        self._ends: dict[str, list[float]] = {}
        self._ready: dict[str, float] = {}
        self._names = {boot.name for boot in queue.boots if boot.queued}
        for boot in queue.boots:
            if boot.in_flight:
                started = now if boot.started_at is None else boot.started_at
                self._note(boot, max(now, started + self._typical))
            elif boot.state is BootState.BOOTING:
                self._ready[boot.name] = now

    def started(self, boot: Boot) -> None:
        """The guest starts now."""
        self._note(boot, self._now + self._typical)

    def wait(self, boot: Boot) -> float | None:
        """Seconds until the guest's turn; None where it waits for one whose own turn is not known."""
        if any(name in self._names and name not in self._ready for name in boot.after):
            return None
        pool = self._pool(boot)
        ends = self._ends.setdefault(pool, [])
        start = self._now
        while len(ends) >= self._limits[pool].limit:
            start = heapq.heappop(ends)
        start = max([start, *(self._ready.get(name, start) for name in boot.after)])
        self._note(boot, start + self._typical)
        return start - self._now

    def _note(self, boot: Boot, end: float) -> None:
        heapq.heappush(self._ends.setdefault(self._pool(boot), []), end)
        self._ready[boot.name] = end

    def _pool(self, boot: Boot) -> str:
        return boot.pool if boot.pool in self._limits else NODE_POOL
