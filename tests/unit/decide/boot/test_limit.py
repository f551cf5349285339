"""The limit, the samples it learns from, and when a guest has settled: by example."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hostagent.config import Pacing
from hostagent.decide.boot.limit import first, update
from hostagent.decide.boot.samples import sample
from hostagent.decide.boot.settled import watch
from hostagent.model.boot import (
    BootState,
    DiskClass,
    DiskStats,
    Flight,
    GuestLook,
    LimitState,
    PoolRead,
    Progress,
    Sample,
)

PACING = Pacing()
AT_20 = LimitState(limit=20, target_seconds=0.02)


def after(
    state: LimitState,
    latency: float | None,
    *,
    booting: int = 20,
    waiting: int = 5,
    at: float = 100.0,
    **rest: float,
) -> LimitState:
    seen = Sample(
        at=at,
        latency_seconds=latency,
        iops=8000.0,
        completed=int(rest.get("completed", 40_000)),
        psi_full_avg10=rest.get("psi"),
        stalled=bool(rest.get("stalled")),
    )
    return update(state, seen, Flight(booting=booting, waiting=waiting), pacing=PACING, cores=64)


def test_the_first_limit_is_the_settings_and_the_target_is_the_disks() -> None:
    assert first(DiskClass.NVME, pacing=PACING, cores=64).target_seconds == 0.005
    assert first(DiskClass.SPINNING, pacing=PACING, cores=64) == LimitState(limit=8, target_seconds=0.04)
    assert first(DiskClass.OTHER, pacing=PACING, cores=2).limit == 4


def test_far_above_the_target_it_falls_to_what_little_allows() -> None:
    cut = after(AT_20, 0.1)
    assert (cut.limit, cut.reason) == (4, "latency 100.0 ms, target 20 ms: limit 4, was 20")
    assert after(AT_20, 0.031).limit == 12  # Little's 12.9 is less than 0.7 of 20


def test_it_does_not_fall_again_while_the_boots_of_before_still_run() -> None:
    cut = after(AT_20, 0.05)
    again = after(cut, 0.05, at=130.0)
    assert again.limit == cut.limit
    assert again.reason == "latency 50.0 ms, target 20 ms; 20 boots still running, limit 8"
    assert after(cut, 0.05, at=130.0, booting=8).limit == 3


def test_a_little_above_the_target_it_sinks_by_one() -> None:
    sunk = after(AT_20, 0.022)
    assert sunk.limit == 19
    assert after(sunk, 0.022, at=105.0, booting=19).limit == 19
    assert after(sunk, 0.022, at=110.0, booting=19).limit == 18


def test_it_does_not_sink_below_what_a_cut_would_leave_of_the_boots_that_still_run() -> None:
    for running, least in ((3, 2), (10, 7), (20, 14)):
        state, at = replace(AT_20, limit=running), 100.0
        for _ in range(40):
            at += 10.0
            state = after(state, 0.022, at=at, booting=running)
        assert state.limit == least


def test_it_rises_by_the_room_there_is() -> None:
    assert after(AT_20, 0.018).limit == 21
    assert after(AT_20, 0.005).limit == 27  # an eighth of three times 20
    assert after(AT_20, 0.0002).limit == 40
    assert after(AT_20, None, completed=0).limit == 21
    assert after(replace(AT_20, limit=64), 0.001, booting=64).limit == 64


@pytest.mark.parametrize(("booting", "waiting"), [(19, 5), (0, 5), (20, 0)])
def test_it_does_not_rise_unused_or_unwanted(booting: int, waiting: int) -> None:
    assert after(AT_20, 0.001, booting=booting, waiting=waiting).limit == 20


def test_it_rises_by_what_all_boots_will_do_not_by_what_some_do_now() -> None:
    """While guests are in their firmware the disk looks free."""

    def rises(latency: float | None, reading: int | None) -> LimitState:
        flight = Flight(booting=20, waiting=5, reading=reading)
        seen = Sample(at=100.0, latency_seconds=latency, iops=8000.0, completed=40_000)
        return update(AT_20, seen, flight, pacing=PACING, cores=64)

    assert rises(0.005, 20).limit == rises(0.005, None).limit == 27
    assert rises(0.005, 10).limit == 22  # as if it were 10 ms
    held = rises(0.005, 4)
    assert (held.limit, held.reason) == (20, "latency 5.0 ms, target 20 ms; only 4 of 20 boots read")
    assert (rises(0.001, 0).limit, rises(0.001, 0).reason) == (20, "none of 20 boots reads yet")


def test_pressure_is_a_brake_and_nothing_else() -> None:
    assert after(AT_20, None, completed=0, psi=60.0).limit == 14
    assert after(AT_20, 0.021, psi=60.0).limit == 14
    assert after(AT_20, 0.001, psi=60.0).limit == 20
    assert after(AT_20, 0.018, psi=0.0).limit == after(AT_20, 0.018).limit


def test_a_disk_that_answers_nothing_is_slow_whatever_it_was() -> None:
    hung = after(replace(AT_20, latency_seconds=0.001, measured_at=95.0), None, completed=0, stalled=True)
    assert (hung.limit, hung.reason) == (
        14,
        "requests are in flight and none completes: limit 14, was 20",
    )


def test_few_requests_say_nothing_and_old_latency_is_forgotten() -> None:
    known = replace(AT_20, latency_seconds=0.5, measured_at=95.0)
    assert after(known, 0.001, completed=49).latency_seconds == 0.5
    assert after(known, 0.001, completed=49, at=126.0).latency_seconds is None
    assert after(known, 0.001, at=3600.0).latency_seconds == pytest.approx(0.001)


def read(at: float, **disks: tuple[int, float] | tuple[int, float, int]) -> PoolRead:
    stats = {
        name: DiskStats(requests=each[0], busy_seconds=each[1], in_flight=each[2] if len(each) == 3 else None)
        for name, each in disks.items()
    }
    return PoolRead(at=at, disks=stats)


def test_a_sample_is_the_difference_over_all_disks() -> None:
    seen = sample(read(0, a=(100, 1.0), b=(0, 0.0)), read(5, a=(150, 2.0), b=(150, 3.0)), psi_full_avg10=3.0)
    assert seen == Sample(at=5, latency_seconds=0.02, iops=40.0, completed=200, psi_full_avg10=3.0)


def test_disks_that_came_went_reset_or_wrapped_do_not_count() -> None:
    before = read(0, same=(100, 1.0), reset=(900, 9.0), wrapped=(10, 4_294_967.0), gone=(1, 1.0))
    seen = sample(before, read(5, same=(200, 2.0), reset=(3, 0.1), wrapped=(90, 0.5), new=(70, 7.0)))
    assert seen is not None
    assert (seen.completed, seen.latency_seconds) == (100, 0.01)
    assert sample(read(0, a=(9, 9.0)), read(5, a=(1, 1.0))) is None
    assert sample(read(0), read(5)) is None
    assert sample(read(5, a=(1, 1.0)), read(5, a=(1, 1.0))) is None


def test_a_stall_is_requests_in_flight_and_none_done() -> None:
    hung = sample(read(0, a=(9, 1.0, 4)), read(5, a=(9, 1.0, 7)))
    idle = sample(read(0, a=(9, 1.0, 0)), read(5, a=(9, 1.0, 0)))
    assert hung is not None
    assert idle is not None
    assert (hung.stalled, idle.stalled, idle.latency_seconds) == (True, False, None)


FAST = replace(AT_20, latency_seconds=0.001)


def see(looks: list[GuestLook], pool: LimitState = FAST) -> Progress:
    progress = Progress(started_at=0.0)
    for each in looks:
        progress = watch(progress, each, pool, pacing=PACING)
    return progress


def quiet(at: float, iops: float = 10.0, *, lease: bool = False, vcpu: float = 0.1) -> GuestLook:
    return GuestLook(at=at, iops=iops, vcpu_share=vcpu, lease=lease)


BUSY = [GuestLook(at=5.0, iops=500.0, vcpu_share=0.9)]


def test_an_agent_settles_a_guest_ten_seconds_later() -> None:
    looks = [GuestLook(at=at, iops=500.0, vcpu_share=1.0, agent=at >= 40) for at in (35.0, 40.0, 45.0)]
    assert see(looks).state is BootState.BOOTING
    done = see([*looks, GuestLook(at=50.0, agent=True)])
    assert (done.state, done.reason, done.ended_at) == (
        BootState.SETTLED,
        "guest agent connected 10 s ago",
        50.0,
    )


def test_an_agent_that_went_away_begins_anew() -> None:
    looks = [GuestLook(at=at, agent=at != 45) for at in (40.0, 45.0, 50.0, 55.0)]
    assert see(looks).state is BootState.BOOTING


def test_quiet_settles_after_three_samples_in_a_row() -> None:
    assert see([*BUSY, quiet(20), quiet(25)]).state is BootState.BOOTING
    assert see([*BUSY, quiet(20), quiet(25), quiet(30)]).reason == "quiet for 3 samples"
    assert see([*BUSY, quiet(20), quiet(25, 60), quiet(30), quiet(35)]).state is BootState.BOOTING
    assert see([*BUSY, quiet(20), quiet(25, vcpu=0.3), quiet(30), quiet(35)]).state is BootState.BOOTING
    assert see([*BUSY, quiet(10), quiet(15), quiet(20)]).state is BootState.BOOTING


def test_a_lease_needs_no_twenty_seconds() -> None:
    assert (
        see([*BUSY, *(quiet(at, lease=True) for at in (8, 13, 18))]).reason
        == "DHCP lease, quiet for 3 samples"
    )


def test_on_a_slow_or_hung_disk_nothing_is_quiet() -> None:
    looks = [*BUSY, *(quiet(float(at)) for at in range(20, 100, 5))]
    assert see(looks, replace(FAST, latency_seconds=0.021)).state is BootState.BOOTING
    assert see(looks, replace(FAST, stalled=True)).state is BootState.BOOTING
    assert see(looks, replace(FAST, latency_seconds=None)).state is BootState.SETTLED


def test_too_long_is_timed_out_and_what_has_ended_stays() -> None:
    late = see([GuestLook(at=600.0)])
    assert (late.state, late.reason) == (
        BootState.TIMED_OUT,
        "not settled after 600 s (boot.timeout_seconds is 600)",
    )
    assert watch(late, GuestLook(at=700.0, agent=True), FAST, pacing=PACING) is late
