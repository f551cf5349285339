"""Eight guests boot at once from a slow disk: paced, the median is up sooner, and those that ran feel less.

`make soak-storm` has the full comparison, twenty guests under four policies.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.lab.slow_disk import SlowDisk
from tests.live import storm_rig
from tests.live.storm_rig import HEAD, POLICIES, TARGET_SECONDS, Rig, Size

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.lab import Node

pytestmark = [pytest.mark.lab, pytest.mark.alone]
SIZE = Size(guests=8, least_mib=12, most_mib=24)
DEADLINE_SECONDS = 240.0


@pytest.fixture(scope="module")
def rig(make_node: Callable[..., Node]) -> Iterator[Rig]:
    node = make_node("storm", agent=True)
    with SlowDisk(2048) as disk:
        yield Rig(node, disk, SIZE)
        node.down()


def test_a_storm_with_and_without_pacing(rig: Rig) -> None:
    free, paced = (rig.measure(policy, deadline=DEADLINE_SECONDS) for policy in (POLICIES[0], POLICIES[-1]))
    print(f"{HEAD}\n{free.row()}\n{paced.row()}")
    assert (free.left, paced.left, free.errors, paced.errors) == ((), (), {}, {})
    assert paced.median < free.median
    assert paced.makespan < 2 * free.makespan, "guests of seconds: what is lost between two is a large part"
    assert paced.bystanders_median < min(2 * TARGET_SECONDS, free.bystanders_median)
    assert paced.list_most < 1
    assert storm_rig.left_behind(rig.node) == set()
