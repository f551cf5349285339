"""When networks are asked, on a clock of the test's own."""

from __future__ import annotations

from dataclasses import replace
from math import inf

import pytest

from hostagent.decide.dhcp.schedule import FIRST_SECONDS, LEAST_SECONDS, Schedule, Turn
from hostagent.model.dhcp import Layer, Outcome, ProbeReport, ProbeTarget

WALL = 1_000_000.0
EVERY = 1800.0
TARGET = ProbeTarget(
    network="lan",
    namespace="",
    link="br1",
    kind="linux-bridge",
    server="10.0.0.1",
    prefix="10.0.0.0/24",
    server_pid=7,
)
OTHER = replace(TARGET, network="dmz")


def report(
    outcome: Outcome = Outcome.OK,
    *,
    ago: float = 0.0,
    layer: Layer = Layer.UNICAST,
    pid: int | None = 7,
    network: str = "lan",
) -> ProbeReport:
    return ProbeReport(
        network=network, server="10.0.0.1", layer=layer, at=WALL - ago, outcome=outcome, server_pid=pid
    )


def seen(
    schedule: Schedule,
    *reports: ProbeReport,
    now: float = 0.0,
    targets: tuple[ProbeTarget, ...] = (TARGET,),
    chance: float = 0.5,
    wall: float = WALL,
) -> Schedule:
    return schedule.seen(targets, reports, now=now, wall=wall, chance=lambda: chance)


def turn(schedule: Schedule) -> Turn:
    found = schedule.soonest()
    assert found is not None
    return found


NEW = Schedule(every=EVERY)


def test_nothing_is_due_where_nothing_is_served() -> None:
    assert seen(NEW, targets=()).soonest() is None


@pytest.mark.parametrize("chance", [0.0, 0.5, 1.0])
def test_a_new_network_is_asked_soon(chance: float) -> None:
    first = turn(seen(NEW, now=5.0, chance=chance))
    assert (first.due, first.layer) == (5.0 + FIRST_SECONDS * chance, Layer.UNICAST)


def test_looking_again_puts_nothing_off() -> None:
    once = seen(NEW, chance=1.0)
    assert seen(once, now=5.0, chance=0.0).turns == once.turns


@pytest.mark.parametrize(
    ("reports", "due", "layer"),
    [
        ((report(ago=100),), EVERY - 100, Layer.UNICAST),
        ((report(ago=5000),), FIRST_SECONDS / 2, Layer.UNICAST),
        ((report(Outcome.DEAD, ago=100),), LEAST_SECONDS * 1.125 - 100, Layer.RENEW),
        (
            (report(Outcome.DEAD, ago=900), report(Outcome.REBIND_ONLY, ago=100, layer=Layer.RENEW)),
            EVERY - 100,
            Layer.UNICAST,
        ),
        ((report(ago=100, pid=6),), LEAST_SECONDS - 100, Layer.UNICAST),  # of another process: as if new
        ((report(ago=5000, pid=6),), FIRST_SECONDS / 2, Layer.UNICAST),
        ((report(ago=100, pid=None),), EVERY - 100, Layer.UNICAST),
        ((report(ago=-3600),), FIRST_SECONDS / 2, Layer.UNICAST),  # the clock was set back
        ((report(Outcome.SKIPPED, ago=100),), FIRST_SECONDS / 2, Layer.UNICAST),
        ((report(ago=100, layer=Layer.PASSIVE),), FIRST_SECONDS / 2, Layer.UNICAST),
        ((report(ago=100, network="dmz"),), FIRST_SECONDS / 2, Layer.UNICAST),
    ],
)
def test_what_was_asked_before_the_agents_start_counts(
    reports: tuple[ProbeReport, ...], due: float, layer: Layer
) -> None:
    first = turn(seen(NEW, *reports))
    assert (first.due, first.layer) == (due, layer)


def test_one_renewal_follows_a_failure_and_no_second_one_until_all_was_well() -> None:
    schedule = seen(NEW)
    now, layers, at = 10.0, [], -inf
    outcomes = [
        Outcome.DEAD,
        Outcome.REBIND_ONLY,
        Outcome.DEAD,
        Outcome.OK,
        Outcome.SPLIT,
        Outcome.REBIND_ONLY,
    ]
    for number, outcome in enumerate(outcomes):
        due = turn(schedule)
        layers.append(due.layer)
        now = max(due.due, now)
        assert now - at >= LEAST_SECONDS
        at = now
        made = replace(report(outcome, layer=due.layer), at=WALL + now)
        schedule = schedule.begun(due, now=now).told(made, now=now + 2, chance=lambda n=number: n / 5)  # type: ignore[misc]
        schedule = seen(schedule, made, now=now + 60, wall=WALL + now + 60)
    unicast, renew = Layer.UNICAST, Layer.RENEW
    assert layers == [unicast, renew, unicast, unicast, unicast, renew]


@pytest.mark.parametrize("chance", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("every", [600.0, 1800.0])
def test_give_or_take_a_quarter_but_never_below_ten_minutes(every: float, chance: float) -> None:
    schedule = seen(Schedule(every=every))
    after = schedule.told(report(), now=100.0, chance=lambda: chance)
    assert turn(after).due - 100.0 == max(LEAST_SECONDS, every * (0.75 + chance / 2))


def test_somebody_elses_probe_counts() -> None:
    schedule = seen(NEW).told(report(ago=0), now=0.0, chance=lambda: 0.5)
    asked = replace(report(), at=WALL + 1700)
    later = seen(schedule, asked, now=1750.0, wall=WALL + 1750)
    assert turn(later).due == 1700 + EVERY


def test_a_probe_that_came_to_nothing_was_a_turn() -> None:
    schedule = seen(NEW)
    after = schedule.begun(turn(schedule), now=9.0)
    assert turn(after).due == 9.0 + LEAST_SECONDS
    assert turn(after.told(report(Outcome.SKIPPED), now=9.0, chance=lambda: 0.5)).due == 9.0 + EVERY


def test_a_server_that_was_restarted_is_asked_again_after_ten_minutes() -> None:
    schedule = seen(NEW).told(report(), now=50.0, chance=lambda: 0.5)
    restarted = replace(TARGET, server_pid=8)
    after = seen(schedule, report(), now=60.0, wall=WALL + 10, targets=(restarted,))
    assert turn(after).due == 50.0 + LEAST_SECONDS


def test_one_after_another() -> None:
    schedule = seen(NEW, targets=(TARGET, OTHER))
    first = turn(schedule)
    schedule = schedule.begun(first, now=10.0)
    assert turn(schedule).target.network != first.target.network


def test_a_report_of_a_network_that_is_gone_changes_nothing() -> None:
    schedule = seen(NEW, targets=(OTHER,))
    assert schedule.told(report(), now=0.0, chance=lambda: 0.5) == schedule
