"""Boot storms in full numbers, simulated: `python -m tests.soak_boot_simulator`, about five minutes."""

from __future__ import annotations

import argparse
from dataclasses import replace
from functools import partial
from random import Random
from statistics import median

from tests.simulator.compare import compare
from tests.simulator.disk import STORM
from tests.simulator.guests import windows_storm
from tests.simulator.play import play
from tests.simulator.policies import Delay, Hostagent, Unthrottled, fixed


def storms(seeds: int) -> None:
    """The storm under each policy, also on arrays that need deeper queues, or lose to many streams."""
    arrays = {
        "one queue before all spindles": STORM,
        "a soft corner": replace(STORM, corner=2.0),
        "a queue before each spindle": replace(STORM, corner=1.0),
        "8 % lost to 300 streams": replace(
            STORM, thrash=0.0003, service_seconds=STORM.service_seconds / 1.09
        ),
    }
    for what, disk in arrays.items():
        for seed in range(1, seeds + 1):
            storm = windows_storm(Random(seed))
            print(f"300 Windows guests, {what}, seed {seed}")
            print("  unthrottled ", play(disk, storm, lambda _: Unthrottled(), seed=seed))
            print("  delay 5 s   ", play(disk, storm, lambda _: Delay(5), seed=seed))
            for count in (4, 16, 32, 64):
                print(f"  fixed {count:3}   ", play(disk, storm, partial(fixed, count=count), seed=seed))
            print("  hostagent   ", play(disk, storm, Hostagent, seed=seed), flush=True)


def arrays(count: int, guests: int) -> None:
    """hostagent beside the best of eight fixed limits on random arrays and mixes."""
    ratios, kinds, left = [], [], 0
    for seed in range(count):
        found = compare(seed, guests=guests)
        ratios.append(found.ratio)
        kinds.append(found.kind_ratio)
        left += found.left_behind
        print(found, flush=True)
    told("the best fixed limit", ratios)
    told("the best fixed limit that keeps running guests below twice the target", kinds)
    print(f"guests left behind: {left}")


def told(against: str, ratios: list[float]) -> None:
    """One line of the comparison."""
    over = sorted(ratio for ratio in ratios if ratio > 1.15)
    print(f"{len(ratios)} arrays, to {against}: {median(ratios):.2f}, worst {max(ratios):.2f}; ", end="")
    print(f"over 1.15: {len(over)} ({', '.join(f'{each:.2f}' for each in over)})")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--arrays", type=int, default=50)
    parser.add_argument("--guests", type=int, default=100)
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args()
    storms(options.seeds)
    arrays(options.arrays, options.guests)
