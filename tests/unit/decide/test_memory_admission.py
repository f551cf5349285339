"""Who may start: each condition by itself, reservations, and who is never refused."""

from dataclasses import replace
from typing import Any

import pytest

from hostagent.config import Admit, Memory
from hostagent.decide.memory.admission import Admission, Figure, Request, admit, request_of
from hostagent.decide.memory.fits import how_many
from hostagent.decide.memory.history import percentile
from hostagent.decide.memory.reservations import Reservation, advance
from hostagent.decide.memory.view import view
from hostagent.health.case_memory import guests_memory_of, memory_of
from hostagent.model.budget import Budget, Level
from hostagent.model.guests_memory import Backing, Promise
from hostagent.model.host import Unavailable

GIB = 1 << 30
MIB = 1 << 20
ENFORCE = Memory(policy=Admit.ENFORCE)
FOUR = Promise(maximum=4 * GIB, current=4 * GIB, vcpus=2)  # overhead 8 + 50 + 16 + 32 = 106 MiB


def budget(memory: dict[str, Any] | None = None, *guests: dict[str, Any], limits: Memory = ENFORCE) -> Budget:
    """Of a host with 64 GiB, 62 of them available: 62 GiB are the budget."""
    found = view(memory_of({"available": 62, **(memory or {})}), guests_memory_of(list(guests)), limits)
    assert not isinstance(found, Unavailable)
    return found.budget


def held(charge_gib: float, uuid: str = "", **fields: Any) -> Reservation:
    return Reservation(
        uuid=uuid, name="x", charge=round(charge_gib * GIB), elastic=True, made_at=0.0, **fields
    )


def ask(
    there: Budget,
    *reservations: Reservation,
    request: Request | None = None,
    policy: Memory = ENFORCE,
    level: Level = Level.HIGH,
    now: float = 0.0,
) -> Admission:
    return admit(there, request or request_of(FOUR, uuid="new"), reservations, policy, now, level=level)


def test_it_fits() -> None:
    assert ask(budget()) == Admission(allowed=True, reason="it fits")


def test_budget_with_what_is_starting() -> None:
    """62 GiB at 1:1.2 hold 74.4 elastic: 70.2 and 4.1 fit, 70.4 and 4.1 don't."""
    plenty = {"available": 200, "total": 64}  # more than there can be: this condition is not meant
    assert ask(budget(plenty), held(70.2, "b")).allowed
    refused = ask(budget(plenty), held(70.4, "b"))
    assert (refused.allowed, refused.figure) == (False, Figure.BUDGET)
    assert refused.reason == "the budget of 62.0 GiB would need 62.1 GiB with it and 1 that is starting"


def test_a_reservation_that_the_budget_counts_already_is_not_counted_twice() -> None:
    guest = {"name": "a", "uuid": "a", "maximum": 60, "vcpus": 1}
    there = budget({"available": 200}, guest)
    assert ask(there, held(60, "a")).allowed
    assert not ask(there, held(60, "b")).allowed


def test_fixed_guests_count_in_full() -> None:
    request = request_of(replace(FOUR, backing=Backing.FIXED), uuid="new")
    plenty = {"available": 200}
    assert ask(budget(plenty), held(70, "b"), request=request).figure is Figure.BUDGET
    assert ask(budget(plenty), held(69, "b"), request=request).allowed


def test_a_guest_on_huge_pages_needs_its_overhead_only() -> None:
    request = request_of(replace(FOUR, maximum=40 * GIB, backing=Backing.HUGE))
    assert request.charge == (80 + 50 + 16 + 32) * MIB


def test_available_less_what_is_pending() -> None:
    """10 % of 64 GiB must be left: 6.4. Of 20 available 4.1 and a reservation of 9 leave 6.9, of 10 5.9."""
    there = budget({"available": 20})
    there = replace(there, capacity=100 * GIB)
    assert ask(there, held(9, "b")).allowed
    refused = ask(there, held(10, "b"))
    assert (refused.allowed, refused.figure) == (False, Figure.AVAILABLE)
    assert refused.reason == "5.9 GiB would be available, less than 6.4 GiB (10 %)"
    assert ask(there, held(10, "b", resident=GIB)).allowed, "1 GiB of it is taken and no longer pending"


@pytest.mark.parametrize("level", list(Level))
def test_state(level: Level) -> None:
    answer = ask(budget(), level=level)
    assert answer.allowed is (level in {Level.UNKNOWN, Level.HIGH, Level.CLEAR})
    assert answer.figure is (Figure.NOTHING if answer.allowed else Figure.STATE)


def test_unmerge_headroom_is_said_or_enforced() -> None:
    """30 GiB available, 28 merged: 2 are left, and the guest is 4.1."""
    there = replace(budget(), unmerge_with_swap=2 * GIB)
    answer = ask(there)
    assert answer.allowed
    assert answer.warning == "2.1 GiB would be missing if every merged page were written"
    strict = ask(there, policy=Memory(policy=Admit.ENFORCE, unmerge=Admit.ENFORCE))
    assert (strict.allowed, strict.figure) == (False, Figure.UNMERGE)
    assert ask(replace(there, unmerge_with_swap=5 * GIB)).warning == ""


def test_a_node_that_is_full() -> None:
    nodes = [{"number": 0, "total": 32}, {"number": 1, "total": 32}]
    there = budget({"nodes": nodes}, {"name": "a", "maximum": 36, "bound": {"0": 36}})
    on = {number: request_of(replace(FOUR, bound={number: 4 * GIB}), uuid="new") for number in (0, 1)}
    assert ask(there, request=on[0]).figure is Figure.NODE
    assert ask(there, request=on[1]).allowed


def test_what_ran_here_lately_is_never_refused() -> None:
    full = {"available": 1}
    request = replace(request_of(FOUR, uuid="new"), ran_at=100.0)
    answer = ask(budget(full), request=request, now=1000.0)
    assert answer.allowed
    assert answer.reason.startswith("it ran here in the last 15 minutes, though ")
    assert not ask(budget(full), request=request, now=1000.1).allowed


def test_observe_lets_everyone_in_and_names_the_figure() -> None:
    answer = ask(budget({"available": 1}), policy=Memory())
    assert answer.allowed
    assert answer.figure is Figure.BUDGET
    assert answer.reason.startswith("policy observe, though ")


def test_the_unknown_stops_nobody() -> None:
    there = budget({"available": "unknown"})
    assert ask(replace(there, elastic=None, fixed=None, needed=None, guests=None)).allowed


def test_how_many() -> None:
    """4202 MiB each; 62 GiB - 6.4 GiB (10 %) = 56934.4 MiB hold 13; by the budget it would be 18."""
    found = how_many(budget(), request_of(FOUR), Memory(), level=Level.HIGH)
    assert found.count == 13
    assert found.stop is not None
    assert found.stop.figure is Figure.AVAILABLE
    found = how_many(budget({"available": 200}), request_of(FOUR), Memory(), level=Level.HIGH)
    assert found.count == 18  # 74.4 GiB = 76185.6 MiB / 4202
    assert how_many(budget(), request_of(FOUR), Memory(), level=Level.SOFT).count == 0


def test_how_many_is_what_admission_lets_in_one_by_one() -> None:
    there, reservations = budget(), list[Reservation]()
    while ask(there, *reservations).allowed and len(reservations) < 50:
        reservations.append(replace(request_of(FOUR), uuid=f"u{len(reservations)}").reserve(0.0))
    assert len(reservations) == how_many(there, request_of(FOUR), ENFORCE, level=Level.HIGH).count


def test_a_reservation_ends_when_its_process_no_longer_grows() -> None:
    def guests(gib: float) -> Any:
        return guests_memory_of(
            [{"name": "a", "uuid": "a", "maximum": 4, "process": {"anonymous": gib}}] if gib else []
        )

    one = held(4, "a")
    for now, gib, pending in ((10.0, 0, 4), (20.0, 1, 3), (50.0, 2, 2), (70.0, 2.01, 2), (109.0, 2.01, 2)):
        (one,) = advance([one], guests(gib), now)
        assert one.pending == pending * GIB
    assert advance([one], guests(2.01), 110.0) == ()


def test_a_reservation_of_a_start_that_failed_or_can_not_be_seen() -> None:
    none = guests_memory_of([])
    assert advance([held(4, "a")], none, 59.0)
    assert advance([held(4, "a")], none, 60.0) == ()
    assert advance([held(4, "a")], None, 899.0)
    assert advance([held(4, "a")], None, 900.0) == ()


def test_percentile() -> None:
    assert percentile([], 0.95) is None
    assert percentile([7], 0.99) == 7
    assert percentile(range(1, 101), 0.95) == 95
    assert percentile(range(1, 101), 0.99) == 99
