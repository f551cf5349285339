"""hostagent beside every fixed limit, on random arrays and mixes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from random import Random
from typing import TYPE_CHECKING

from tests.simulator.disk import random_disk
from tests.simulator.guests import random_storm
from tests.simulator.play import play
from tests.simulator.policies import Hostagent, fixed

if TYPE_CHECKING:
    from tests.simulator.play import Result

LIMITS = (1, 2, 4, 8, 16, 32, 64, 128)
RUNNING_SHARE = 0.3  # of the array's throughput, at most: beyond, nothing that boots is to blame


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """One array and mix: hostagent, and the fixed limit with the best median on it."""

    what: str
    hostagent: Result
    best_limit: int
    best: Result

    @property
    def ratio(self) -> float:
        return self.hostagent.median / self.best.median

    @property
    def left_behind(self) -> int:
        return self.hostagent.left_behind

    def __str__(self) -> str:
        return (
            f"{self.ratio:5.2f}  {self.what:44} fixed {self.best_limit:3}: {self.best.median:6.0f} s "
            f"{1000 * self.best.running_p99:7.1f} ms   hostagent {self.hostagent.median:6.0f} s "
            f"{1000 * self.hostagent.running_p99:7.1f} ms"
        )


def compare(seed: int, *, guests: int, limits: tuple[int, ...] = LIMITS) -> Comparison:
    """The array and the mix are the seed's."""
    rng = Random(seed)
    disk = random_disk(rng)
    storm = random_storm(rng, guests, most_iops=RUNNING_SHARE * disk.servers / disk.service_seconds)

    results = {limit: play(disk, storm, partial(fixed, count=limit), seed=seed) for limit in limits}
    best = min(results, key=lambda limit: results[limit].median)
    what = f"{seed:3} {disk.name} {disk.servers} x {1000 * disk.service_seconds:.1f} ms, {storm.cores} cores"
    return Comparison(
        what=what,
        hostagent=play(disk, storm, Hostagent, seed=seed),
        best_limit=best,
        best=results[best],
    )
