"""One turn after another on a fake clock: when something is believed, and what is done about it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from hostagent.config import Action, Agent, CodePolicy, Policy, Settings
from hostagent.decide.agent.budget import MOST_SECONDS, SHARE, Budget
from hostagent.decide.agent.cycle import Cycle, Memory, Now, turn
from hostagent.decide.agent.latch import latched, within_the_hour
from hostagent.decide.agent.tries import FIRST_SECONDS, LONGEST_SECONDS, Tries
from hostagent.health.case import parse_host
from hostagent.model.host import Snapshot, Trouble, Unavailable
from hostagent.model.published import Hold

STALE = """
[[port]]
name = "vnet3"
vm = "gone"
ofport = -1
"""
OTHERS_TAG = """
[[domain]]
name = "{guest}"
[[domain.interface]]
tap = "vnet0"
{vlan}
[[link]]
name = "vnet0"
ifindex = 5
[[port]]
name = "vnet0"
uuid = "row-0"
vm = "{guest}"
tag = 100
"""
HEALTHY = parse_host("")


class Clock:
    """Turns at given seconds, each with the memory of the one before."""

    def __init__(self, settings: Settings | None = None) -> None:
        self.settings = settings or Settings()
        self.memory = Memory()

    def at(self, seconds: float, snapshot: Snapshot, *, holds: tuple[Hold, ...] = (), done: int = 0) -> Cycle:
        now = Now(began=seconds, woken_at=seconds - 0.1, holds=holds, done_within_the_hour=done)
        cycle = turn(self.memory, snapshot, now, self.settings)
        self.memory = cycle.memory
        return cycle


def planned(cycle: Cycle) -> list[str]:
    return [] if cycle.plan is None else [step.object for step in cycle.plan.steps]


def reasons(cycle: Cycle) -> list[str]:
    return [each.reason for each in cycle.left_alone]


def test_a_stale_row_is_believed_after_its_grace_and_not_before() -> None:
    clock, stale = Clock(), parse_host(STALE)
    first = clock.at(10.0, stale)
    assert (planned(first), first.drift.findings, first.due) == ([], (), 12.0)
    assert first.reason == "something looks wrong: looking again before it is believed"
    assert planned(clock.at(11.9, stale)) == []
    last = clock.at(12.0, stale)
    assert planned(last) == ["br-int/vnet3"]
    assert [each.code for each in last.drift.findings] == ["OVS_PORT_STALE"]
    woken = last.memory.suspicions.woken_at(last.drift.findings[0])
    assert woken == 9.9, "the first event counts, not the look that believed it"


def test_two_looks_at_least_even_without_a_grace() -> None:
    settings = Settings(policy=Policy(OVS_PORT_STALE=CodePolicy(grace_seconds=0.0)))
    clock, stale = Clock(settings), parse_host(STALE)
    assert planned(clock.at(1.0, stale)) == []
    assert planned(clock.at(1.0, stale)) == ["br-int/vnet3"]


def test_what_was_gone_in_between_begins_anew() -> None:
    clock, stale = Clock(), parse_host(STALE)
    clock.at(0.0, stale)
    clock.at(1.0, HEALTHY)
    assert planned(clock.at(3.0, stale)) == []
    assert planned(clock.at(5.0, stale)) == ["br-int/vnet3"]


@pytest.mark.parametrize("section", ["domains", "ovs", "links", "vswitchd"])
def test_a_missing_source_ends_all_acting_and_all_belief(section: str) -> None:
    clock, stale = Clock(), parse_host(STALE)
    clock.at(0.0, stale)
    gone = Unavailable(trouble=Trouble.UNRESPONSIVE, reason="it hangs", since=0.0)
    missing: dict[str, Any] = {section: gone}
    hung = clock.at(2.5, replace(stale, **missing))
    assert planned(hung) == []
    assert hung.reason == f"not acting: nothing is repaired without {section}: it hangs"
    again = clock.at(3.0, stale)
    assert planned(again) == ([] if section != "vswitchd" else ["br-int/vnet3"])
    assert planned(clock.at(5.0, stale)) == ["br-int/vnet3"]


@pytest.mark.parametrize(
    ("hold", "words"),
    [
        (Hold(kind="paused", reason="work on the rack", since=0.0), "paused (work on the rack)"),
        (Hold(kind="stopped", reason="/etc/hostagent/stop exists", since=0.0), "stopped"),
        (Hold(kind="latched", reason="30 repairs", since=0.0), "latched"),
    ],
)
def test_a_hold_reports_and_does_nothing(hold: Hold, words: str) -> None:
    clock, stale = Clock(), parse_host(STALE)
    clock.at(0.0, stale)
    held = clock.at(2.0, stale, holds=(hold,))
    assert planned(held) == []
    assert held.drift.findings, "it is still believed and shown"
    assert words in held.reason
    assert words in reasons(held)[0]


def test_a_policy_of_report_reports() -> None:
    report = CodePolicy(libvirt=Action.REPORT)
    clock, stale = Clock(Settings(policy=Policy(OVS_PORT_STALE=report))), parse_host(STALE)
    clock.at(0.0, stale)
    told = clock.at(2.0, stale)
    assert planned(told) == []
    assert reasons(told) == ["policy.OVS_PORT_STALE.libvirt is report: hostagent fix OVS_PORT_STALE"]


def test_a_given_name_is_reported_until_it_is_opted_in() -> None:
    named = parse_host(STALE.replace("vnet3", "tap-x"))
    for action, expected in ((Action.REPORT, []), (Action.REPAIR, ["br-int/tap-x"])):
        policy = Policy(OVS_PORT_STALE=CodePolicy(libvirt_named=action))
        clock = Clock(Settings(policy=policy))
        clock.at(0.0, named)
        assert planned(clock.at(2.0, named)) == expected


def test_the_record_of_before_is_the_witness_for_an_inherited_vlan() -> None:
    before = parse_host(OTHERS_TAG.format(guest="alice", vlan="vlan = 100"))
    after = parse_host(OTHERS_TAG.format(guest="bob", vlan=""))
    without = Clock()
    without.at(0.0, after)
    told = without.at(2.0, after)
    assert planned(told) == []
    assert reasons(told)[0].startswith("nothing shows whose columns these are")
    clock = Clock()
    clock.at(0.0, before)
    clock.at(100.0, after)
    assert planned(clock.at(102.0, after)) == ["br-int/vnet0"]


def test_a_vlan_that_somebody_set_on_a_running_guest_has_no_witness() -> None:
    plain = parse_host(OTHERS_TAG.format(guest="bob", vlan="").replace("tag = 100", ""))
    tagged = parse_host(OTHERS_TAG.format(guest="bob", vlan=""))
    clock = Clock()
    clock.at(0.0, plain)
    clock.at(100.0, tagged)
    assert planned(clock.at(102.0, tagged)) == []


def test_the_latch_trips_at_the_limit_and_never_passes_it() -> None:
    stale = parse_host("".join(STALE.replace("vnet3", f"vnet{number}") for number in range(5)))
    clock = Clock(Settings(agent=Agent(max_per_hour=7)))
    clock.at(0.0, stale)
    assert len(planned(clock.at(2.0, stale, done=0))) == 5
    few = clock.at(3.0, stale, done=5)
    assert (len(planned(few)), few.latch) == (2, "")
    full = clock.at(4.0, stale, done=7)
    assert planned(full) == []
    assert full.latch.startswith("7 repairs within an hour")


def test_what_counts_for_the_latch() -> None:
    done = [100.0, 200.0, 3500.0]
    assert within_the_hour(done, now=3650.0, resumed_at=0.0) == 3
    assert within_the_hour(done, now=3750.0, resumed_at=0.0) == 2
    assert within_the_hour(done, now=3750.0, resumed_at=3600.0) == 0
    assert latched(29, max_per_hour=30) == ""
    assert latched(30, max_per_hour=30)


def test_what_failed_is_tried_again_later_and_later() -> None:
    clock, stale = Clock(), parse_host(STALE)
    clock.at(0.0, stale)
    plan = clock.at(2.0, stale).plan
    assert plan is not None
    now, waits = 2.0, []
    for _ in range(12):
        tries = clock.memory.tries.after(plan.steps[0], reason="dropped: moved on", now=now)
        clock.memory = replace(clock.memory, tries=tries)
        early = clock.at(now + 0.1, stale)
        assert planned(early) == []
        assert early.due is not None
        waits.append(early.due - now)
        now = early.due
        assert planned(clock.at(now, stale)) == ["br-int/vnet3"]
    assert waits[0] == FIRST_SECONDS
    assert waits == sorted(waits)
    assert waits[-1] == LONGEST_SECONDS
    assert clock.memory.tries.after(plan.steps[0], reason="", now=now) == Tries()
    assert clock.at(now + 1, HEALTHY).memory.tries == Tries(), "forgotten with the object"


def test_the_budget_lets_a_burst_through_and_a_storm_have_its_share() -> None:
    budget, now, looked = Budget(at=0.0), 0.0, 0.0
    while now < 100.0:
        now = budget.ready_at(now=now) + 0.05
        looked += 0.05
        budget = budget.spent(0.05, now=now)
    assert looked <= MOST_SECONDS + SHARE * now + 0.05
    assert looked >= SHARE * 100.0
    assert Budget(at=0.0).ready_at(now=5.0) == 5.0


def test_what_a_person_has_undone_is_left_alone() -> None:
    memory, stale, settings = Memory(), parse_host(STALE), Settings()
    for at in (0.0, 2.0):
        now = Now(began=at, woken_at=at, undone={"br-int/vnet3": "run-7"})
        cycle = turn(memory, stale, now, settings)
        memory = cycle.memory
    assert planned(cycle) == []
    assert reasons(cycle) == ["a person took its repair back (run-7): hostagent fix OVS_PORT_STALE does it"]
