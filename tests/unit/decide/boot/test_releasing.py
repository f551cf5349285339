"""What the releaser does next, from the held list, a look at each guest, and the clock."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hostagent.decide.boot.releasing import Kind, Next, Pace, Past, Task, age_of, next_step, starts, task
from hostagent.model.boot import DiskStats
from hostagent.model.boot_guests import BootGuest, BootWish, GuestFigures
from hostagent.model.boot_held import SLOWED, Held
from hostagent.model.guests import DomainState, Manager

NOW, BEFORE = "this boot", "the boot before"
ENTRY = Held(
    uuid="u", name="g", id=4, boot_id=NOW, since=0.0, reason="limit 3", requests=10, vcpu_seconds=0.5
)
PAUSED = BootGuest(uuid="u", name="g", id=4, state=DomainState.PAUSED, reason="user")
RUNNING = replace(PAUSED, state=DomainState.RUNNING, reason="unpaused")
OFF = replace(PAUSED, id=None, state=DomainState.SHUTOFF, reason="destroyed")
RESTORED = replace(PAUSED, id=1, reason="migration")


def figures(requests: int = 10, vcpu_seconds: float | None = 0.5) -> GuestFigures:
    disks = {"vda": DiskStats(requests=requests, busy_seconds=0.0)}
    return GuestFigures(disks=disks, vcpu_seconds=vcpu_seconds)


def kind(
    entry: Held,
    guest: BootGuest | None,
    seen: GuestFigures | None = None,
    *,
    saved: bool = False,
    age: float = 10.0,
) -> Kind:
    made = task(entry, guest, seen, boot_id=NOW, saved=saved, age=age)
    assert made.reason
    assert (made.uuid, made.name) == ("u", "g")
    return made.kind


@pytest.mark.parametrize(
    ("guest", "seen", "expected"),
    [
        (PAUSED, figures(), Kind.RESUME),
        (PAUSED, None, Kind.RESUME),
        (PAUSED, figures(vcpu_seconds=None), Kind.RESUME),
        (PAUSED, figures(vcpu_seconds=0.79), Kind.RESUME),
        (PAUSED, figures(vcpu_seconds=0.81), Kind.FORGET),
        (PAUSED, figures(requests=11), Kind.FORGET),
        (RUNNING, figures(), Kind.FORGET),
        (OFF, None, Kind.FORGET),
        (None, None, Kind.FORGET),
        (replace(PAUSED, id=5), figures(), Kind.FORGET),
        (replace(PAUSED, reason="ioerror"), figures(), Kind.FORGET),
        (replace(PAUSED, reason=""), figures(), Kind.FORGET),
        (replace(PAUSED, reason="starting up"), figures(), Kind.LOOK),
        (replace(PAUSED, reason="save"), figures(), Kind.LOOK),
        (replace(PAUSED, state=DomainState.CRASHED, reason="panicked"), figures(), Kind.FORGET),
        # Saved by hand and restored, in one boot of the node.
        (RESTORED, figures(0, 0.0), Kind.RESUME),
        (RESTORED, figures(0, 0.4), Kind.FORGET),
    ],
)
def test_who_is_as_it_was_suspended_goes_on(
    guest: BootGuest | None, seen: GuestFigures | None, expected: Kind
) -> None:
    assert kind(ENTRY, guest, seen) is expected


@pytest.mark.parametrize(
    ("guest", "seen", "expected"),
    [
        (RESTORED, figures(0, 0.0), Kind.RESUME),
        (replace(RESTORED, reason="user"), figures(0, 0.0), Kind.RESUME),
        (replace(RESTORED, id=4), figures(0, 0.0), Kind.RESUME),
        (RESTORED, figures(0, 1.0), Kind.FORGET),
        (RESTORED, figures(3, 0.0), Kind.FORGET),
        # The very same run, seen with another boot id: a container has several.
        (PAUSED, figures(), Kind.RESUME),
        (PAUSED, figures(10, 0.6), Kind.RESUME),
        (PAUSED, figures(10, 0.4), Kind.FORGET),
        (PAUSED, figures(11, 0.5), Kind.FORGET),
        (PAUSED, figures(10, 1.0), Kind.FORGET),
        (replace(PAUSED, id=5), figures(), Kind.FORGET),
        (replace(RESTORED, reason="starting up"), figures(0, 0.0), Kind.LOOK),
        (replace(RUNNING, id=1), figures(0, 0.0), Kind.FORGET),
        (OFF, None, Kind.FORGET),
    ],
)
def test_after_a_reboot_who_was_saved_goes_on(
    guest: BootGuest, seen: GuestFigures | None, expected: Kind
) -> None:
    assert kind(replace(ENTRY, boot_id=BEFORE), guest, seen) is expected


def test_counters_that_nobody_read_prove_nothing() -> None:
    unread = replace(ENTRY, requests=None, vcpu_seconds=None)
    assert kind(unread, PAUSED, figures(1000, 60.0)) is Kind.RESUME


def test_a_guest_that_was_held_for_long_may_have_idled() -> None:
    """Each of its vCPUs takes 0.5 % of a core at most while it is suspended."""
    assert kind(ENTRY, PAUSED, figures(vcpu_seconds=0.5 + 3.0), age=600) is Kind.RESUME
    assert kind(ENTRY, PAUSED, figures(vcpu_seconds=0.5 + 6.3), age=600) is Kind.FORGET
    eight = replace(figures(vcpu_seconds=0.5 + 24.0), vcpus=8)
    assert kind(ENTRY, PAUSED, eight, age=600) is Kind.RESUME


@pytest.mark.parametrize(
    ("now", "uptime", "age"), [(130.0, 1000.0, 30.0), (130.0, 20.0, 20.0), (90.0, 1000.0, 1000.0)]
)
def test_an_entrys_age_is_of_this_boot_and_outlives_a_wrong_clock(
    now: float, uptime: float, age: float
) -> None:
    assert age_of(replace(ENTRY, since=100.0), now=now, uptime=uptime) == age


@pytest.mark.parametrize("boot_id", [NOW, BEFORE])
def test_what_is_saved_is_woken(boot_id: str) -> None:
    assert kind(replace(ENTRY, boot_id=boot_id), OFF, saved=True) is Kind.WAKE


@pytest.mark.parametrize(
    ("entry", "guest", "expected"),
    [
        (ENTRY, RUNNING, Kind.UNSLOW),
        (ENTRY, PAUSED, Kind.UNSLOW),
        (ENTRY, replace(RUNNING, id=5), Kind.FORGET),
        (replace(ENTRY, boot_id=BEFORE), RUNNING, Kind.FORGET),
        (ENTRY, OFF, Kind.FORGET),
        (ENTRY, None, Kind.FORGET),
    ],
)
def test_limits_end_with_their_run(entry: Held, guest: BootGuest | None, expected: Kind) -> None:
    assert kind(replace(entry, kind=SLOWED, iops=100), guest, figures()) is expected


def adopted(name: str, priority: int = 0, after: str = "") -> BootGuest:
    wish = BootWish(adopted=True, priority=priority, after=tuple(after.split()))
    return BootGuest(uuid=f"uuid-{name}", name=name, id=None, state=DomainState.SHUTOFF, wish=wish)


def names(guests: list[BootGuest], pending: frozenset[str] | None = None) -> list[str]:
    return [each.name for each in starts(guests, pending)]


def test_adopted_guests_start_in_order() -> None:
    guests = [
        adopted("web", 5, after="db"),
        adopted("db", after="dns gone"),
        adopted("dns"),
        adopted("b", 6),
        adopted("a", 1),
        replace(adopted("runs"), id=7, state=DomainState.RUNNING),
        replace(adopted("nova"), managers=frozenset({Manager.NOVA})),
        replace(adopted("transient"), persistent=False),
        replace(adopted("other"), wish=BootWish(priority=9)),
    ]
    assert names(guests) == ["b", "dns", "db", "web", "a"], "what web needs is as urgent as web"
    assert names(guests, frozenset({"uuid-web", "uuid-a", "uuid-runs"})) == ["web", "a"]
    assert names(guests, frozenset()) == []


def test_a_circle_starts_all_the_same() -> None:
    circle = [adopted("a", after="b"), adopted("b", 3, after="c"), adopted("c", after="a"), adopted("d")]
    assert names(circle) == ["d", "a", "c", "b"]
    assert names([adopted("self", after="self")]) == ["self"]


def todo(*kinds: Kind) -> list[Task]:
    return [
        Task(kind=each, uuid=f"u{number}", name=f"g{number}", reason="r") for number, each in enumerate(kinds)
    ]


PACE, PAST = Pace(), Past(begun_at=100.0)
ALL = todo(Kind.START, Kind.RESUME, Kind.UNSLOW, Kind.WAKE, Kind.FORGET, Kind.LOOK)


def step(
    tasks: list[Task], past: Past = PAST, now: float = 1000.0, *, starting: bool = False, halted: str = ""
) -> Next:
    return next_step(tasks, past, now, pace=PACE, starting=starting, halted=halted)


def test_with_nothing_to_do_it_ends_at_once() -> None:
    assert step([], now=100.0) == Next() == step([], now=100.0, halted="stopped", starting=True)


def test_in_the_grace_nothing_is_done() -> None:
    waits = step(ALL, now=110.0)
    assert (waits.task, waits.seconds) == (None, 20.0)
    assert waits.reason == "the agent has 30 s to come back; 1 slowed, 1 held, 1 saved, 1 to start"
    assert step(ALL, now=130.0).task is not None


def test_the_order_of_things() -> None:
    left, order = list(ALL), []
    while (due := step(left).task) is not None:
        order.append(due.kind)
        left.remove(due)
    assert order == [Kind.FORGET, Kind.UNSLOW, Kind.RESUME, Kind.WAKE, Kind.START]
    assert step(left).seconds == PACE.resume, "what is on its way is looked at again"


def test_resumptions_and_starts_are_paced_and_nothing_else_is() -> None:
    past = replace(PAST, released_at=998.0)
    assert step(todo(Kind.RESUME), past).seconds == 3.0
    assert step(todo(Kind.START), past).seconds == 8.0
    for each in (Kind.FORGET, Kind.UNSLOW, Kind.WAKE):
        assert step(todo(each), past).task is not None
    assert step(todo(Kind.RESUME), past, now=1003.0).task is not None


def test_whoever_fails_waits_and_the_others_go_on() -> None:
    past = replace(PAST, failed={"u0": 990.0})
    due = step(todo(Kind.RESUME, Kind.RESUME), past).task
    assert due is not None
    assert due.uuid == "u1"
    assert step(todo(Kind.RESUME), past) == Next(seconds=5.0, reason="1 held")
    assert step(todo(Kind.RESUME), past, now=1020.0).task is not None


def test_a_halted_releaser_waits_with_its_reason() -> None:
    halted = step(ALL, halted="/etc/hostagent/stop exists")
    assert (halted.task, halted.seconds) == (None, PACE.resume)
    assert halted.reason.startswith("/etc/hostagent/stop exists; 1 slowed")


def test_while_the_node_starts_who_was_saved_may_come_back() -> None:
    assert step(todo(Kind.WAKE), starting=True) == Next(seconds=5.0, reason="1 saved")
    assert step(todo(Kind.WAKE)).task is not None
