"""Counters of two reads → what the pool did between them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hostagent.model.boot import Sample

if TYPE_CHECKING:
    from hostagent.model.boot import DiskStats, PoolRead


def sample(before: PoolRead, after: PoolRead, *, psi_full_avg10: float | None = None) -> Sample | None:
    """What happened from one read to the next, over the disks that both show; None when that can't be said.

    A disk counts that is in both reads and whose counters did not fall: a guest that was started again
    begins at zero, and the milliseconds of /proc/diskstats are 32 bits wide (Documentation/admin-guide/
    iostats.rst), which a busy array fills within hours.
    """
    seconds = after.at - before.at
    if seconds <= 0:
        return None
    pairs = [(before.disks[name], now) for name, now in after.disks.items() if name in before.disks]
    steps = [step for earlier, now in pairs if (step := _step(earlier, now)) is not None]
    if not steps:
        return None
    completed = sum(requests for requests, _ in steps)
    busy = sum(busy for _, busy in steps)
    return Sample(
        at=after.at,
        latency_seconds=busy / completed if completed else None,
        iops=completed / seconds,
        completed=completed,
        psi_full_avg10=psi_full_avg10,
        stalled=not completed and any(earlier.in_flight and now.in_flight for earlier, now in pairs),
    )


def _step(before: DiskStats, after: DiskStats) -> tuple[int, float] | None:
    """Requests and their time between two reads of one disk; None after a reset or a wraparound."""
    requests = after.requests - before.requests
    busy = after.busy_seconds - before.busy_seconds
    return None if requests < 0 or busy < 0 else (requests, busy)
