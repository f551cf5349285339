"""What is wrong with boots: who is stuck, when a pool is slow, what stands in a circle."""

from dataclasses import replace

import pytest

from hostagent.config import Pacing
from hostagent.decide.boot.judging import (
    LONG_SECONDS,
    SLOW_SECONDS,
    STUCK_SECONDS,
    slow_for,
    stuck,
    timed_out,
    why_blind,
    why_not_paced,
    why_old,
)
from hostagent.decide.boot.limit import update
from hostagent.decide.boot.queue import release
from hostagent.decide.boot.wishes import MOST_CIRCLES, circles, nameless
from hostagent.model.boot import (
    NODE_POOL,
    Boot,
    BootState,
    Flight,
    LimitState,
    Queue,
    Sample,
    Wait,
)
from hostagent.model.boot_told import BootsTold, GuestTold, PoolTold

PACING = Pacing()
NOW = 1_800_000_000.0
ROOM = PoolTold(pool="sda", kind="ssd", limit=8, booting=7, queued=1, target_seconds=0.02)
FULL = replace(ROOM, booting=8)
HELD = GuestTold(
    uuid="a", name="alice", pool="sda", state="held", since=NOW - 5000, reason="next start in 0.1 s"
)


def told(
    *guests: GuestTold, pool: PoolTold = ROOM, idle: float | None = 0.0, halted: str = "", hold: str = ""
) -> BootsTold:
    released = None if idle is None else NOW - idle
    return BootsTold(at=NOW, pools=(pool,), guests=guests, released_at=released, halted=halted, hold=hold)


@pytest.mark.parametrize(
    ("boots", "seconds"),
    [
        (told(HELD, idle=STUCK_SECONDS - 1), None),
        (told(HELD, idle=STUCK_SECONDS), STUCK_SECONDS),
        # It waits only since a moment ago; whatever was released before.
        (told(replace(HELD, since=NOW - 5), idle=9000), None),
        (told(replace(HELD, since=NOW - 700), idle=None), 700),
        (told(HELD, pool=FULL, idle=STUCK_SECONDS), None),
        (told(HELD, pool=FULL, idle=STUCK_SECONDS + PACING.timeout_seconds), 1200),
        # The memory refuses it and lets others go.
        (told(replace(HELD, reason="the budget is spent"), idle=1), 5000),
        (told(replace(HELD, reason="the budget is spent", since=NOW - 9), idle=1), None),
        (told(replace(HELD, reason="the budget is spent"), pool=FULL, idle=1), None),
        (told(HELD, idle=1, halted="paused by root"), 1),
        (told(HELD, idle=1, hold="the array is rebuilding"), 1),
        (told(replace(HELD, state="booting"), idle=None, halted="paused by root"), None),
        (told(replace(HELD, managed="nova"), idle=None, halted="paused by root"), None),
        # A pool that is not told counts as the node's.
        (told(HELD, pool=replace(FULL, pool=NODE_POOL), idle=STUCK_SECONDS), None),
        (told(HELD, pool=replace(ROOM, pool=NODE_POOL), idle=STUCK_SECONDS), STUCK_SECONDS),
        (told(HELD, pool=replace(FULL, pool="sdb"), idle=STUCK_SECONDS), STUCK_SECONDS),
    ],
)
def test_who_is_stuck_and_for_how_long(boots: BootsTold, seconds: float | None) -> None:
    found = stuck(boots, PACING)
    assert [each.seconds for each in found] == ([] if seconds is None else [seconds])
    assert [each.name for each in found] == ([] if seconds is None else ["alice"])


def test_the_reason_is_told_with_the_guest() -> None:
    assert LONG_SECONDS > STUCK_SECONDS
    (found,) = stuck(told(replace(HELD, since=NOW - 700), idle=None), PACING)
    assert found.detail == "held for 12 min: next start in 0.1 s"
    (found,) = stuck(told(HELD, idle=1, halted="paused by root"), PACING)
    assert found.detail == "held for 83 min: paused by root"
    (found,) = stuck(told(replace(HELD, reason=""), idle=900), PACING)
    assert found.detail == "held for 83 min: no reason is known"


def test_the_queues_own_reasons_are_known_as_such() -> None:
    """Each word of decide.boot.queue, as it is said now, does not make a guest stuck by itself."""
    one = Boot(uuid="1", name="one", requested_at=0.0, state=BootState.BOOTING, started_at=0.0)
    two = Boot(uuid="2", name="two", requested_at=0.0, state=BootState.HELD)
    limits = {NODE_POOL: LimitState(limit=1, target_seconds=0.02)}
    wide = {NODE_POOL: LimitState(limit=9, target_seconds=0.02)}
    after, gone = replace(two, after=("one",)), replace(two, after=("gone",))
    said = [
        release(Queue(boots=(one, two)), limits, 1.0, pacing=PACING, memory=lambda _: ""),
        release(Queue(boots=(two,), admitted_at=1.0), limits, 1.1, pacing=PACING, memory=lambda _: ""),
        release(Queue(boots=(one, after)), wide, 1.0, pacing=PACING, memory=lambda _: ""),
        release(Queue(boots=(gone,)), wide, 1.0, pacing=PACING, memory=lambda _: ""),
    ]
    reasons = [each.reason for (each,) in said if isinstance(each, Wait)]
    assert len(reasons) == 4
    for reason in reasons:
        assert stuck(told(replace(HELD, reason=reason), idle=1), PACING) == (), reason


def test_who_timed_out_is_told_for_an_hour() -> None:
    out = replace(HELD, state="timed out", since=NOW - 3600)
    assert timed_out(told(out, HELD)) == (out,)
    assert timed_out(told(replace(out, since=NOW - 3601))) == ()


def test_without_pacing_there_is_nothing_to_say() -> None:
    assert "boot.enabled" in why_not_paced(told(), Pacing(enabled=False))
    assert "boot.enabled" in why_not_paced(replace(told(), enabled=False), PACING)
    assert "without the agent" in why_not_paced(None, PACING)
    assert why_not_paced(told(), PACING) == ""


def test_what_is_old_or_blind_is_not_known() -> None:
    assert why_old(told(), NOW + 180) == ""
    assert why_old(told(), NOW + 181) == (
        "the pacing of boots has said nothing for 3 min (journalctl -u hostagent)"
    )
    assert why_blind(told()) == ""
    assert why_blind(replace(told(), unknown_since=NOW - 29)) == ""
    assert "not seen libvirt for 30 s" in why_blind(replace(told(), unknown_since=NOW - 30))


def test_a_pool_is_slow_after_minutes() -> None:
    assert slow_for(ROOM, NOW) == 0
    assert slow_for(replace(ROOM, slow_since=NOW - SLOW_SECONDS + 1), NOW) == 0
    assert slow_for(replace(ROOM, slow_since=NOW - SLOW_SECONDS), NOW) == SLOW_SECONDS


def test_slow_since_is_kept_while_every_sample_is_slow() -> None:
    state = LimitState(limit=8, target_seconds=0.02)

    def after(at: float, latency: float | None, *, stalled: bool = False) -> float | None:
        nonlocal state
        done = 0 if latency is None else 500
        sample = Sample(at=at, latency_seconds=latency, iops=100, completed=done, stalled=stalled)
        state = update(state, sample, Flight(booting=8, waiting=9), pacing=PACING, cores=64)
        return state.slow_since

    assert after(0, 0.02) is None
    assert after(5, 0.2) == 5
    assert after(10, 0.2) == 5
    assert after(15, None, stalled=True) == 5
    assert after(20, 0.025) == 5, "the average is still above"
    assert after(60, 0.025) is None
    assert after(65, None, stalled=True) == 65
    assert after(5000, 0.2) == 5000, "what was before a silence says nothing"


def test_circles_are_found_each_once_and_what_hangs_on_them_is_none() -> None:
    after = {
        "a": ("b",),
        "b": ("c", "z"),
        "c": ("a",),
        "d": ("a", "d"),
        "e": ("d",),
        "z": (),
    }
    assert circles(after) == (("d", "d"), ("a", "b", "c", "a"))
    assert circles({"a": ("b",), "b": ("c",)}) == ()
    assert circles({}) == ()


def test_a_large_tangle_ends_and_a_long_chain_is_none() -> None:
    names = [f"g{number}" for number in range(40)]
    assert len(circles({name: tuple(names) for name in names})) == MOST_CIRCLES
    chain = {f"g{number}": (f"g{number + 1}",) for number in range(1500)}
    assert circles(chain) == ()


def test_names_of_no_domain() -> None:
    after = {"shop": ("db", "gone"), "app": ("gone too",)}
    assert nameless(after, ["shop", "app", "db"]) == (("app", "gone too"), ("shop", "gone"))
