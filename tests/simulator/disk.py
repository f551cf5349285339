"""Disks: how many requests a second at how many outstanding, for spinning RAID, SSD and Ceph."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hostagent.model.boot import DiskClass

if TYPE_CHECKING:
    from collections.abc import Iterable
    from random import Random


@dataclass(frozen=True, slots=True, kw_only=True)
class Disk:
    """A disk, array or cluster.

    ``servers`` requests are worked on at once, each for ``service_seconds`` where the disk is idle.
    ``corner`` is how sharply it saturates: 1 is a queue before each spindle, 4 and more one queue before all.
    ``elevator`` is what deep queues add to throughput at most; ``thrash`` what each stream beside the first
    takes away. ``noise`` is how much service times vary from step to step.
    """

    name: str
    kind: DiskClass
    servers: int
    service_seconds: float
    corner: float = 2.0
    elevator: float = 0.0
    thrash: float = 0.0
    noise: float = 0.05

    def throughput(self, outstanding: float, streams: int) -> float:
        """Requests a second that complete."""
        deep = outstanding / self.servers
        busy: float = deep / (1 + deep**self.corner) ** (1 / self.corner)
        gain = 1 + self.elevator * deep / (deep + 8)
        return busy * gain * self.servers / self.service_seconds / (1 + self.thrash * max(0, streams - 1))

    def latency(
        self, demand: Iterable[tuple[float, float]], streams: int, *, slower: float, guess: float
    ) -> float:
        """W of a closed queue: each of ``demand`` is (requests kept outstanding, seconds of thought).

        Seeks the W at which what is offered is what completes; ``guess`` is the step before's.
        """
        groups = [each for each in demand if each[0]]

        def above(latency: float) -> bool:
            offered = sum(depth / (think + latency) for depth, think in groups)
            return offered * slower <= self.throughput(latency * offered, streams)

        low, high = guess / 1.3, guess * 1.3
        while above(low):
            low /= 2
            if low < 1e-7:
                return low
        while not above(high):
            high *= 2
        while high - low > 0.002 * low:
            middle = (low + high) / 2
            if above(middle):
                high = middle
            else:
                low = middle
        return high


# 8,750 IOPS at 0.2 s, and (so that 175 outstanding are 20 ms) nearly the same there: one queue before all.
STORM = Disk(name="storm", kind=DiskClass.OTHER, servers=50, service_seconds=50 / 8750, corner=4.0)


def random_disk(rng: Random) -> Disk:
    """An array as somebody might have it."""
    return rng.choice((_raid, _ssd, _ceph))(rng)


def _raid(rng: Random) -> Disk:
    return Disk(
        name="raid",
        kind=DiskClass.SPINNING,
        servers=rng.randint(4, 60),
        service_seconds=rng.uniform(0.004, 0.011),
        corner=rng.uniform(1.0, 2.5),
        elevator=rng.uniform(0.0, 0.4),
        thrash=rng.uniform(0.0, 0.001),
        noise=rng.uniform(0.02, 0.15),
    )


def _ssd(rng: Random) -> Disk:
    nvme = rng.random() < 0.5
    return Disk(
        name="nvme" if nvme else "ssd",
        kind=DiskClass.NVME if nvme else DiskClass.SSD,
        servers=rng.randint(16, 64) if nvme else rng.randint(4, 24),
        service_seconds=rng.uniform(0.0001, 0.0003) if nvme else rng.uniform(0.0003, 0.001),
        corner=rng.uniform(2.0, 6.0),
        noise=rng.uniform(0.02, 0.1),
    )


def _ceph(rng: Random) -> Disk:
    return Disk(
        name="ceph",
        kind=DiskClass.OTHER,
        servers=rng.randint(16, 120),
        service_seconds=rng.uniform(0.002, 0.008),
        corner=rng.uniform(1.5, 4.0),
        noise=rng.uniform(0.1, 0.3),
    )
