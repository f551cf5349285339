"""What is released now, and why each other guest waits and for how long.

Guests that a manager runs are counted and never decided about; exempt ones, and those a person urged, go at
once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hostagent.decide.boot.expected import Expected
from hostagent.decide.boot.order import dependency, in_order
from hostagent.model.boot import NODE_POOL, Admit, Flight, Wait

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from hostagent.config import Pacing
    from hostagent.model.boot import Boot, Decision, LimitState, Queue

    Memory = Callable[[Boot], str]  # why a guest does not fit into memory now, or ""


def pool_of(boot: Boot, limits: Mapping[str, LimitState]) -> str:
    """The pool that a guest counts in: its own where that is measured, or the node's."""
    return boot.pool if boot.pool in limits else NODE_POOL


def flights(queue: Queue, limits: Mapping[str, LimitState]) -> dict[str, Flight]:
    """Who is under way in each pool, for limit.update."""
    found = {pool: [0, 0] for pool in limits}
    for boot in queue.boots:
        counts = found.setdefault(pool_of(boot, limits), [0, 0])
        counts[0] += boot.in_flight
        counts[1] += boot.queued
    return {pool: Flight(booting=booting, waiting=waiting) for pool, (booting, waiting) in found.items()}


def release(
    queue: Queue, limits: Mapping[str, LimitState], now: float, *, pacing: Pacing, memory: Memory
) -> tuple[Decision, ...]:
    """A decision for every guest that waits, in the order of their turns.

    ``limits`` has the pool "node" at least. ``memory`` is asked only about guests whose turn it is.
    """
    turn = _Turn(queue, limits, now, pacing)
    return tuple(turn.decide(boot, memory) for boot in in_order(queue.boots, now=now, pacing=pacing))


class _Turn:
    """One pass through the queue: what is left of each limit while it goes."""

    def __init__(self, queue: Queue, limits: Mapping[str, LimitState], now: float, pacing: Pacing) -> None:
        self._queue, self._limits, self._now, self._pacing = queue, limits, now, pacing
        self._by_name = {boot.name: boot for boot in queue.boots}
        self._running = {pool: flight.booting for pool, flight in flights(queue, limits).items()}
        self._admitted_at = queue.admitted_at
        self._expected = Expected(queue, limits, now=now, pacing=pacing)

    def decide(self, boot: Boot, memory: Memory) -> Decision:
        """Admit the guest or say why it waits."""
        if boot.exempt:
            return self._admit(boot, "exempt from pacing")
        if boot.urged:
            return self._admit(boot, "a person said go")
        if self._queue.stopped:
            return Wait(uuid=boot.uuid, name=boot.name, reason=self._queue.stopped)
        needs = dependency(boot, self._by_name, self._queue, now=self._now, pacing=self._pacing)
        if why := needs.wait or self._full(boot) or self._spacing():
            return self._wait(boot, why)
        if why := memory(boot):
            return Wait(uuid=boot.uuid, name=boot.name, reason=why)
        pool = pool_of(boot, self._limits)
        which = f"boot {self._running[pool] + 1} of {self._limits[pool].limit}"
        return self._admit(boot, f"{which}, {needs.gave_up}" if needs.gave_up else which)

    def _full(self, boot: Boot) -> str:
        pool = pool_of(boot, self._limits)
        running, limit = self._running[pool], self._limits[pool].limit
        boots = "boot" if running == 1 else "boots"
        return f"{running} {boots} running, limit {limit}" if running >= limit else ""

    def _spacing(self) -> str:
        if self._admitted_at is None:
            return ""
        left = self._admitted_at + self._pacing.spacing_seconds - self._now
        return f"next start in {left:.1f} s" if left > 0 else ""

    def _wait(self, boot: Boot, why: str) -> Wait:
        return Wait(uuid=boot.uuid, name=boot.name, reason=why, expected_seconds=self._expected.wait(boot))

    def _admit(self, boot: Boot, why: str) -> Admit:
        pool = pool_of(boot, self._limits)
        self._running[pool] = self._running.get(pool, 0) + 1
        self._admitted_at = self._now
        self._expected.started(boot)
        return Admit(uuid=boot.uuid, name=boot.name, reason=why)
