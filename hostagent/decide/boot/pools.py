"""Whose counters tell a pool's latency: its own disk's, or, where it has none on this node, its guests'."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hostagent.model.boot import NODE_POOL, PoolRead

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from hostagent.model.boot import DiskStats
    from hostagent.model.boot_guests import BootGuest, Figures, GuestFigures


def pool_reads(
    guests: Iterable[BootGuest], figures: Figures, disks: Mapping[str, DiskStats], *, at: float
) -> Mapping[str, PoolRead]:
    """One read of every pool that a guest has, and of NODE_POOL, which is all guests' statistics.

    ``disks`` were read at ``at``, ``figures`` at their own time. A pool whose disk is not among ``disks`` is
    read by its guests' statistics, all of a guest's disks together.
    """
    known = {guest.uuid: guest for guest in guests}
    every: dict[str, DiskStats] = {}
    far: dict[str, dict[str, DiskStats]] = {}
    reads: dict[str, PoolRead] = {}
    for guest in known.values():
        pool = guest.pool
        if pool.device in disks:
            reads[pool.name] = PoolRead(at=at, disks={pool.device: disks[pool.device]})
        else:
            far.setdefault(pool.name, {})
    for uuid, each in figures.by_uuid.items():
        found = known.get(uuid)
        counters = _named(each, uuid, None if found is None else found.id)
        every |= counters
        if found is not None and found.pool.name in far:
            far[found.pool.name] |= counters
    reads |= {name: PoolRead(at=figures.at, disks=counters) for name, counters in far.items()}
    return reads | {NODE_POOL: PoolRead(at=figures.at, disks=every)}


def _named(figures: GuestFigures, uuid: str, run: int | None) -> dict[str, DiskStats]:
    # With libvirt's id, for a guest that was started again begins to count at zero.
    return {f"{uuid} {run} {target}": stats for target, stats in figures.disks.items()}
