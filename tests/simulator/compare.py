"""hostagent beside every fixed limit, on random arrays and mixes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from random import Random
from typing import TYPE_CHECKING

from hostagent.config import Pacing
from hostagent.decide.boot import limit as rules
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
    """One array and mix: hostagent, and the fixed limit with the best median on it.

    ``kind`` is the best of those fixed limits that leave running guests a p99 of at most twice the target,
    which is hostagent's own task; where none does, the one that comes nearest.
    """

    what: str
    hostagent: Result
    best_limit: int
    best: Result
    kind_limit: int
    kind: Result

    @property
    def ratio(self) -> float:
        return self.hostagent.median / self.best.median

    @property
    def kind_ratio(self) -> float:
        return self.hostagent.median / self.kind.median

    @property
    def left_behind(self) -> int:
        return self.hostagent.left_behind

    def __str__(self) -> str:
        return (
            f"{self.ratio:5.2f}  {self.what:44} fixed {self.best_limit:3}: {_told(self.best)}   "
            f"{self.kind_ratio:5.2f} kind {self.kind_limit:3}: {_told(self.kind)}   "
            f"hostagent {_told(self.hostagent)}"
        )


def _told(result: Result) -> str:
    return f"{result.median:6.0f} s {1000 * result.running_p99:7.1f} ms"


def compare(seed: int, *, guests: int, limits: tuple[int, ...] = LIMITS) -> Comparison:
    """The array and the mix are the seed's."""
    rng = Random(seed)
    disk = random_disk(rng)
    storm = random_storm(rng, guests, most_iops=RUNNING_SHARE * disk.servers / disk.service_seconds)

    results = {limit: play(disk, storm, partial(fixed, count=limit), seed=seed) for limit in limits}
    best = min(results, key=lambda limit: results[limit].median)
    most = 2 * rules.first(disk.kind, pacing=Pacing(), cores=storm.cores).target_seconds
    kind = min(limits, key=lambda limit: (max(results[limit].running_p99, most), results[limit].median))
    what = f"{seed:3} {disk.name} {disk.servers} x {1000 * disk.service_seconds:.1f} ms, {storm.cores} cores"
    return Comparison(
        what=what,
        hostagent=play(disk, storm, Hostagent, seed=seed),
        best_limit=best,
        best=results[best],
        kind_limit=kind,
        kind=results[kind],
    )
