"""The states over time: worse at once, better after five minutes, unknown neither."""

from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hostagent.config import Memory
from hostagent.decide.memory.counters import oom_kills, swap_in
from hostagent.decide.memory.state import LEVELS, MemoryState, Sample, advance, judge
from hostagent.health.case_memory import memory_of
from hostagent.model.budget import Level

CALM = Memory().calm_seconds
FINE = Sample(at=0.0, available=0.5, ratio=0.9, used=0.8, unmerge=0.4, some_avg60=0.0, full_avg10=0.0)


def run(*samples: Sample) -> list[MemoryState]:
    states: list[MemoryState] = []
    for sample in samples:
        states.append(advance(states[-1] if states else None, sample, CALM))
    return states


@pytest.mark.parametrize(
    ("change", "level"),
    [
        ({}, Level.HIGH),
        ({"available": 0.199}, Level.CLEAR),
        ({"ratio": 1.101}, Level.CLEAR),
        ({"unmerge": -0.001}, Level.CLEAR),
        ({"available": 0.099}, Level.SOFT),
        ({"used": 1.001}, Level.SOFT),
        ({"some_avg60": 0.101}, Level.SOFT),
        ({"available": 0.049}, Level.HARD),
        ({"full_avg10": 0.051}, Level.HARD),
        ({"swapping": True}, Level.HARD),
        ({"available": 0.019}, Level.LOW),
        ({"oom_kills": 1}, Level.LOW),
        ({"available": None}, Level.UNKNOWN),
        ({"available": None, "used": 1.1}, Level.SOFT),
    ],
)
def test_what_enters_a_state(change: dict[str, Any], level: Level) -> None:
    found, reasons = judge(replace(FINE, **change))
    assert found is level
    assert bool(reasons) is (level not in {Level.HIGH, Level.UNKNOWN})


def test_worse_at_once_and_better_after_five_minutes_of_two_points_more() -> None:
    bad = replace(FINE, available=0.09)
    states = run(
        replace(bad, at=0.0),
        replace(FINE, at=60.0, available=0.11),  # over the threshold, not by two points
        replace(FINE, at=120.0, available=0.13),
        replace(FINE, at=180.0, available=0.11),  # and the five minutes begin again
        replace(FINE, at=240.0, available=0.30),
        replace(FINE, at=539.0, available=0.30),
        replace(FINE, at=540.0, available=0.30),
    )
    assert [each.level for each in states] == [Level.SOFT] * 6 + [Level.HIGH]
    assert [each.better_since for each in states] == [None, None, 120.0, None, 240.0, 240.0, None]


def test_down_in_steps() -> None:
    """From hard to clear, where the figures are clear's: not to high, and not by way of soft."""
    states = run(
        replace(FINE, at=0.0, available=0.04),
        replace(FINE, at=60.0, available=0.15),
        replace(FINE, at=360.0, available=0.15),
    )
    assert [each.level for each in states] == [Level.HARD, Level.HARD, Level.CLEAR]


def test_unknown_is_not_better() -> None:
    states = run(
        replace(FINE, at=0.0, available=0.04),
        replace(FINE, at=300.0, available=None),
        replace(FINE, at=900.0, available=None),
        replace(FINE, at=960.0, used=None),
    )
    assert {each.level for each in states} == {Level.HARD}
    assert run(FINE, replace(FINE, available=None))[-1].level is Level.UNKNOWN


def test_a_slow_leak_and_its_end() -> None:
    """Half an hour from 25 % to 3 %, felt each three seconds with a wobble of half a point, and back."""
    downhill = [0.25 - 0.22 * step / 600 for step in range(600)]
    uphill = [0.03 + 0.37 * min(1.0, step / 300) for step in range(600)]
    samples = [
        replace(FINE, at=3.0 * step, available=share + (0.005 if step % 2 else -0.005))
        for step, share in enumerate(downhill + uphill)
    ]
    states = run(*samples)
    changes = [after for before, after in pairwise(states) if after.level is not before.level]
    entered = [(each.level, samples[round(each.since / 3)].available) for each in changes]
    assert [level for level, _ in entered] == [
        Level.CLEAR,
        Level.SOFT,
        Level.HARD,
        Level.CLEAR,
        Level.HIGH,
    ]
    bounds = [share for _, share in entered[:3] if share is not None]
    assert bounds == pytest.approx([0.2, 0.1, 0.05], abs=0.001)
    # Up again it passes 7 % + the wobble at about the 37th step, and five minutes later the level is that of
    # the figures by then, which pass 22 % at about the 158th.
    better = [each.since / 3 - 600 for each in changes[3:]]
    assert better == pytest.approx([37 + 100, 158 + 100], abs=3)


def test_what_is_short_now_is_not_what_is_promised() -> None:
    """It gets better although libvirt can't be asked."""
    broken = replace(FINE, used=1.5, ratio=1.5, unmerge=-0.1, oom_kills=2)
    assert judge(broken.now()) == (Level.HIGH, ())
    states = run(
        replace(broken, available=0.03, at=0.0).now(),
        replace(broken, used=None, at=10.0).now(),
        replace(broken, used=None, at=310.0).now(),
    )
    assert [each.level for each in states] == [Level.HARD, Level.HARD, Level.HIGH]


@given(st.lists(st.floats(0, 0.4), min_size=2, max_size=40))
def test_no_flapping(available: list[float]) -> None:
    """Whatever comes, a state is left for a better one at most once in five minutes."""
    states = run(*(replace(FINE, at=index * 60.0, available=each) for index, each in enumerate(available)))
    falls = [
        after.since
        for before, after in pairwise(states)
        if LEVELS.index(after.level) < LEVELS.index(before.level)
    ]
    assert all(later - earlier >= 300 for earlier, later in pairwise(falls))
    for state, sample in zip(states, available, strict=True):
        assert LEVELS.index(state.level) >= LEVELS.index(judge(replace(FINE, available=sample))[0])


def test_swap_in_is_the_last_minutes() -> None:
    raw = {
        "swaps": [{"path": "/dev/sda2", "size": 8}],
        "counters": {"at": 100.0, "swapped_in": 20000},
        "past": [
            {"at": 0.0, "swapped_in": 0},
            {"at": 30.0, "swapped_in": 0},
            {"at": 80.0, "swapped_in": 20000},
        ],
    }
    found = swap_in(memory_of(raw))
    assert found is not None
    assert (found.seconds, found.rate) == (70.0, 20000 * 4096 / 70)
    assert found.sustained
    assert swap_in(memory_of({})) is not None, "without swap nothing swaps"


def test_oom_kills_need_an_earlier_look() -> None:
    def kills(now: int | None, *past: tuple[float, int]) -> int | None:
        rows = [{"at": at, "oom_kills": count} for at, count in past]
        raw = {"counters": {"at": 1000.0, "oom_kills": now}, "past": rows}
        return oom_kills(memory_of(raw), seconds=90)

    assert kills(0) == 0
    assert kills(3) is None
    assert kills(None, (0.0, 0)) is None
    assert kills(3, (0.0, 1), (920.0, 2)) == 1
    assert kills(3, (0.0, 1)) == 2, "looks further apart than that"
