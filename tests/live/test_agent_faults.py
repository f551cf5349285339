"""A reduced, seeded run of `make soak-agent`: daemons and the agent fail at random, nothing live is lost."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

import pytest

from tests.live.faults import Faults

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.lab import Node

pytestmark = pytest.mark.lab
SEED, COUNT = 20261123, 60


def test_random_faults(make_node: Callable[..., Node], capsys: pytest.CaptureFixture[str]) -> None:
    faults = Faults(make_node("faults", agent=True), Random(SEED))
    before = faults.size()
    for _ in range(3):
        faults.run(COUNT // 3)
    after = faults.size()
    with capsys.disabled():
        print(f"\n{dict(faults.struck)}, {faults.starts} starts, {faults.stops} stops, {before}, {after}")
    assert sum(faults.struck.values()) == COUNT
    assert min(faults.starts, faults.stops) >= 3, "guests really came and went"
    assert after.threads <= before.threads + 3
    assert after.descriptors <= before.descriptors + 5
    assert after.resident_bytes <= before.resident_bytes + (16 << 20)
