"""What holds whatever the disk does and whoever waits."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

from hypothesis import example, given, settings
from hypothesis import strategies as st

from hostagent.config import Pacing
from hostagent.decide.boot.limit import first, most, update
from hostagent.decide.boot.order import circle, path_between
from hostagent.decide.boot.queue import flights, release
from hostagent.decide.boot.settled import watch
from hostagent.model.boot import (
    NODE_POOL,
    Admit,
    Boot,
    BootState,
    DiskClass,
    Flight,
    GuestLook,
    LimitState,
    Progress,
    Queue,
    Sample,
)
from tests.unit.decide.boot.make import limits

PACING = Pacing()
LATENCIES = st.one_of(st.none(), st.floats(1e-5, 10.0))
SAMPLES = st.tuples(
    st.floats(1.0, 30.0),  # after the one before
    LATENCIES,
    st.integers(0, 100_000),
    st.one_of(st.none(), st.floats(0, 100)),
    st.booleans(),
    st.integers(0, 80),
    st.integers(0, 3),
)


def played(
    steps: list[tuple[float, float | None, int, float | None, bool, int, int]],
) -> list[tuple[LimitState, Sample, Flight, LimitState]]:
    """Each update: state before, sample, flight, state after."""
    state, at, found = first(DiskClass.OTHER, pacing=PACING, cores=32), 0.0, []
    for passed, latency, completed, psi, stalled, booting, waiting in steps:
        at += passed
        seen = Sample(
            at=at,
            latency_seconds=latency if completed else None,
            iops=completed / passed,
            completed=completed,
            psi_full_avg10=psi,
            stalled=stalled and not completed,
        )
        flight = Flight(booting=booting, waiting=waiting)
        after = update(state, seen, flight, pacing=PACING, cores=32)
        found.append((state, seen, flight, after))
        state = after
    return found


@example(
    [
        (1, 1.0, 50, None, False, 0, 0),
        (16, 0.125, 50, None, False, 0, 0),
        (16, None, 0, None, False, 0, 0),
        (14, 0.015625, 50, 41.0, False, 2, 0),
    ]
)
@given(st.lists(SAMPLES, max_size=60))
def test_the_limit_keeps_its_bounds_its_pace_and_never_rises_while_idle(
    steps: list[tuple[float, float | None, int, float | None, bool, int, int]],
) -> None:
    fell_at = rose_at = None
    for before, seen, flight, after in played(steps):
        assert PACING.least_limit <= after.limit <= most(PACING, cores=32)
        assert after.limit <= 2 * before.limit
        assert after.reason
        if after.limit > before.limit:
            assert flight.waiting
            assert flight.booting >= before.limit
            assert after.latency_seconds is None or after.latency_seconds <= after.target_seconds
            assert rose_at is None or seen.at - rose_at >= PACING.grow_seconds
            rose_at = seen.at
        if after.limit < before.limit:
            least = PACING.sink_seconds if before.limit - after.limit == 1 else PACING.cut_seconds
            assert fell_at is None or seen.at - fell_at >= least
            fell_at = seen.at
        if seen.psi_full_avg10 is not None:
            calm = replace(seen, psi_full_avg10=None)
            assert after.limit <= update(before, calm, flight, pacing=PACING, cores=32).limit


NAMES = [f"g{number}" for number in range(12)]


@st.composite
def boots(draw: st.DrawFn) -> tuple[Boot, ...]:
    """A queue in any state, with circles and parents that nobody knows."""
    return tuple(
        Boot(
            uuid=name,
            name=name,
            requested_at=draw(st.floats(0, 2000)),
            state=draw(st.sampled_from(BootState)),
            priority=draw(st.integers(-3, 3)),
            after=tuple(draw(st.lists(st.sampled_from([*NAMES, "gone"]), max_size=2))),
            exempt=draw(st.integers(0, 9)) == 0,
            managed=draw(st.sampled_from(["", "", "", "nova"])),
            ended_at=draw(st.one_of(st.none(), st.floats(0, 2000))),
        )
        for name in NAMES[: draw(st.integers(1, len(NAMES)))]
    )


@given(boots(), st.integers(1, 5), st.floats(0, 4000))
def test_the_queue_keeps_the_limit_and_nobodys_guest_is_forgotten(
    known: tuple[Boot, ...], limit: int, now: float
) -> None:
    pacing = replace(PACING, spacing_seconds=0)
    made = release(Queue(boots=known), limits(limit), now, pacing=pacing, memory=lambda _: "")
    by_name = {boot.name: boot for boot in known}
    assert {each.name for each in made} == {boot.name for boot in known if boot.queued}
    assert all(each.reason for each in made)
    admitted = [by_name[each.name] for each in made if isinstance(each, Admit)]
    assert all(boot in admitted for boot in known if boot.exempt and boot.queued)
    assert not any(boot.managed for boot in admitted)
    paced = [boot for boot in admitted if not boot.exempt]
    running = flights(Queue(boots=known), limits(limit))[NODE_POOL].booting
    assert len(paced) <= max(0, limit - running)
    for boot in paced:
        for name in boot.after:
            parent = by_name.get(name)
            if parent is not None and parent.queued and not path_between(_after(known), name, boot.name):
                raise AssertionError(f"{boot.name} started before {name}")


def _after(known: tuple[Boot, ...]) -> dict[str, tuple[str, ...]]:
    return {boot.name: boot.after for boot in known}


@settings(max_examples=40, deadline=None)
@given(boots(), st.integers(1, 3))
def test_every_guest_that_waits_is_released_in_the_end(known: tuple[Boot, ...], limit: int) -> None:
    state = {boot.name: boot for boot in known}
    now, admitted_at = 2000.0, None
    for _ in range(400):
        queue = Queue(boots=tuple(state.values()), admitted_at=admitted_at)
        for each in release(queue, limits(limit), now, pacing=PACING, memory=lambda _: ""):
            if isinstance(each, Admit):
                admitted_at = now
                state[each.name] = replace(state[each.name], state=BootState.BOOTING, started_at=now)
        now += 30.0
        for name, boot in state.items():
            if boot.state is BootState.BOOTING:
                state[name] = replace(boot, state=BootState.SETTLED, ended_at=now)
    assert [boot.name for boot in state.values() if boot.queued] == []


@given(st.dictionaries(st.sampled_from(NAMES), st.lists(st.sampled_from(NAMES), max_size=3)))
def test_a_circle_is_one_and_without_a_circle_there_is_an_order(after: dict[str, list[str]]) -> None:
    path = circle(after)
    if path:
        assert path[0] == path[-1]
        assert all(later in after[name] for name, later in pairwise(path))
        return
    left = set(NAMES)
    while left:
        free = {name for name in left if not left & set(after.get(name, ()))}
        assert free
        left -= free


LOOKS = st.builds(
    GuestLook,
    at=st.just(0.0),
    iops=st.one_of(st.none(), st.floats(0, 5000)),
    vcpu_share=st.one_of(st.none(), st.floats(0, 1)),
    agent=st.booleans(),
    lease=st.booleans(),
)


@given(st.lists(st.tuples(LOOKS, LATENCIES), min_size=121, max_size=130))
def test_every_boot_ends_in_time_and_only_once(looks: list[tuple[GuestLook, float | None]]) -> None:
    progress = Progress(started_at=0.0)
    for number, (look, latency) in enumerate(looks):
        pool = LimitState(limit=4, target_seconds=0.02, latency_seconds=latency)
        after = watch(progress, replace(look, at=5.0 * number), pool, pacing=PACING)
        if progress.state is not BootState.BOOTING:
            assert after is progress
        progress = after
    assert progress.state in {BootState.SETTLED, BootState.TIMED_OUT}
    assert progress.reason
    assert progress.ended_at is not None
    assert progress.ended_at <= PACING.timeout_seconds
