"""The agent killed at random moments of a storm, then libvirtd; `make soak-storm` does it fifty times."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

import pytest

from tests.live.storm_crash import Storms

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.lab import Node

pytestmark = pytest.mark.lab
SEED, KILLS, GUESTS = 20261123, 5, 8


@pytest.fixture(scope="module")
def storms(make_node: Callable[..., Node]) -> Storms:
    return Storms(make_node("bcrash", agent=True), GUESTS, Random(SEED))


def test_the_agent_is_killed(storms: Storms) -> None:
    storms.storm([storms.kill_agent] * KILLS)
    assert storms.kills == KILLS
    assert storms.seen >= 1, "some were held and let go"


def test_libvirtd_is_restarted_and_killed(storms: Storms) -> None:
    strikes = [storms.kill_libvirtd, storms.restart_libvirtd]
    storms.storm(strikes, after_start=True)
