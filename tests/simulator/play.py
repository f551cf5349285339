"""One storm under one policy, and what came of it."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from random import Random
from statistics import median, quantiles
from typing import TYPE_CHECKING

from tests.simulator.node import Node

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.simulator.disk import Disk
    from tests.simulator.guests import Storm
    from tests.simulator.policies import Policy

MOST_SECONDS = 12 * 3600
WINDOW = 5  # steps


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """Seconds, from each guest's request until it is truly up, whatever a policy thinks.

    ``running_p99`` is the latency that 99 of 100 windows of 5 s kept within, weighted by the running guests'
    requests.
    """

    median: float
    p95: float
    makespan: float
    running_p99: float
    running_mean: float
    left_behind: int

    def __str__(self) -> str:
        return (
            f"median {self.median:6.0f} s  p95 {self.p95:6.0f} s  all {self.makespan:6.0f} s  "
            f"running p99 {1000 * self.running_p99:6.1f} ms  mean {1000 * self.running_mean:6.1f} ms"
        )


def play(disk: Disk, storm: Storm, policy: Callable[[Node], Policy], *, seed: int = 1) -> Result:
    """Until everybody is up; the storm itself is not changed."""
    node = Node(disk, copy.deepcopy(storm), Random(seed))
    who = policy(node)
    count = len(storm.guests)
    while len(node.up) < count and node.now < MOST_SECONDS:
        who.turn(node)
        node.step()
    took = [guest.up_at - guest.requested_at for guest in node.up if guest.up_at is not None]
    requests = sum(done for _, done in node.latencies)
    return Result(
        median=median(took),
        p95=quantiles(took, n=20, method="inclusive")[-1],
        makespan=node.now,
        running_p99=_percentile(node.latencies, 0.99),
        running_mean=sum(latency * done for latency, done in node.latencies) / requests,
        left_behind=count - len(node.up),
    )


def _percentile(steps: list[tuple[float, float]], share: float) -> float:
    windows = []
    for start in range(0, len(steps), WINDOW):
        part = steps[start : start + WINDOW]
        done = sum(each for _, each in part)
        windows.append((sum(latency * each for latency, each in part) / done, done))
    windows.sort()
    left = share * sum(done for _, done in windows)
    for latency, done in windows:
        left -= done
        if left <= 0:
            return latency
    return windows[-1][0]
