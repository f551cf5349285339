"""What each look at a domain changes: new runs, paused ones, held ones that a person resumed, reboots."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hostagent.daemon.boots.runs import KEPT_SECONDS, Runs, Seen
from hostagent.model.boot import BootState
from hostagent.model.boot_wish import BootWish
from hostagent.model.guests import Manager
from tests.unit.daemon.boots.make import guest, paused


def held(runs: Runs) -> None:
    """Guest a, suspended by us."""
    run = runs.candidate(guest(), 0.0)
    run.suspended = True


def test_a_run_that_nobody_knew_is_new_and_a_known_one_is_not() -> None:
    runs = Runs()
    assert runs.see(guest(), cause="booted", now=0.0) is Seen.NEW
    runs.count(guest(), "limit", 0.0)
    assert runs.see(guest(), now=1.0) is Seen.KNOWN
    assert runs.see(guest(run=2), cause="booted", now=2.0) is Seen.NEW, "another run of the same domain"
    assert runs.boots == {}


@pytest.mark.parametrize(
    ("cause", "reason", "counted"),
    [
        ("migrated", "migrated", "incoming"),
        ("restored", "restored", "restored"),
        ("snapshot", "from snapshot", "reverted"),
        ("", "migrated", "incoming"),
        ("", "restored", "restored"),
        ("", "from snapshot", "reverted"),
    ],
)
def test_what_arrives_with_its_memory_is_no_boot(cause: str, reason: str, counted: str) -> None:
    runs = Runs()
    assert runs.see(guest(reason=reason), cause=cause, now=0.0) is Seen.KNOWN
    assert (dict(runs.counts), runs.boots) == ({counted: 1}, {})
    assert runs.queue("").up == {"a"}


def test_a_guest_that_is_started_paused_boots_once_a_person_resumes_it() -> None:
    runs = Runs()
    assert runs.see(paused(), cause="booted", now=0.0) is Seen.PAUSED
    assert runs.queue("").boots == ()
    assert runs.queue("").up == frozenset(), "others do not start after it yet"
    assert runs.see(guest(reason="unpaused"), now=5.0) is Seen.KNOWN
    assert (runs.boots["uuid-a"].boot.state, runs.counts["paused"]) == (BootState.BOOTING, 1)


def test_a_look_in_the_middle_of_a_start_is_no_persons_pause() -> None:
    runs = Runs()
    assert runs.see(paused(reason="starting up"), now=0.0) is Seen.KNOWN
    assert not runs.up
    assert runs.see(guest(), cause="booted", now=1.0) is Seen.NEW


def test_a_look_while_the_agents_own_start_goes_on_changes_nothing() -> None:
    runs = Runs()
    runs.wait(guest(run=None), 0.0)
    run = runs.boots["uuid-a"]
    runs.go(run, "limit", 1.0)
    assert runs.see(paused(reason="starting up"), now=1.5) is Seen.KNOWN
    assert runs.see(guest(), cause="booted", now=2.0) is Seen.KNOWN
    assert (run.boot.state, run.boot.started_at, runs.boots) == (BootState.BOOTING, 1.0, {"uuid-a": run})


def test_what_migrates_in_is_no_boot_when_it_goes_on() -> None:
    runs = Runs()
    assert runs.see(paused(reason="migration"), cause="migrated", now=0.0) is Seen.PAUSED
    assert runs.see(guest(reason="migrated"), now=1.0) is Seen.KNOWN
    assert runs.boots == {}


def test_a_held_guest_that_a_person_resumes_is_under_way() -> None:
    runs = Runs()
    held(runs)
    assert runs.see(paused(), now=1.0) is Seen.KNOWN
    assert runs.see(guest(reason="unpaused"), now=2.0) is Seen.RESUMED
    run = runs.boots["uuid-a"]
    assert (run.boot.state, run.boot.started_at, run.suspended) == (BootState.BOOTING, 2.0, False)
    assert runs.counts["resumed"] == 1


def test_a_boot_that_a_person_pauses_leaves_the_queue_and_begins_anew() -> None:
    runs = Runs()
    runs.count(guest(), "limit", 0.0)
    assert runs.see(paused(), now=10.0) is Seen.PAUSED
    assert runs.queue("").boots == ()
    runs.see(guest(reason="unpaused"), now=20.0)
    assert runs.boots["uuid-a"].boot.started_at == 20.0


def test_our_own_resume_on_its_way_is_not_taken_for_a_persons_pause() -> None:
    runs = Runs()
    held(runs)
    run = runs.boots["uuid-a"]
    runs.go(run, "limit", 1.0)  # the order to resume it is out
    assert runs.see(paused(), now=1.1) is Seen.KNOWN
    assert run.boot.state is BootState.BOOTING


def test_a_settled_guest_that_reboots_is_under_way_again_and_one_that_is_paused_is_not() -> None:
    runs = Runs()
    runs.settle(guest())
    assert runs.see(guest(), rebooted=True, now=100.0) is Seen.KNOWN
    assert (runs.boots["uuid-a"].boot.state, runs.counts["reboot"]) == (BootState.BOOTING, 1)
    runs.settle(guest())
    assert runs.see(paused(), now=200.0) is Seen.PAUSED
    assert runs.see(guest(reason="unpaused"), now=300.0) is Seen.KNOWN
    assert runs.boots == {}, "it was up: going on is no boot"


def test_the_run_that_the_agent_starts_gets_its_id_when_it_is_seen() -> None:
    runs = Runs()
    runs.wait(guest(run=None), 0.0)
    run = runs.boots["uuid-a"]
    assert runs.see(guest(run=None), now=1.0) is Seen.KNOWN
    runs.go(run, "limit", 2.0)
    assert runs.see(guest(run=7), cause="booted", now=3.0) is Seen.KNOWN
    assert (run.guest.id, run.boot.state, run.boot.started_at) == (7, BootState.BOOTING, 2.0)


def test_a_waiting_guest_that_somebody_starts_is_a_start_like_others() -> None:
    runs = Runs()
    runs.wait(guest(run=None), 0.0)
    assert runs.see(guest(run=7), cause="booted", now=1.0) is Seen.NEW


@pytest.mark.parametrize("state", [BootState.HELD, BootState.BOOTING])
def test_what_ends_is_forgotten(state: BootState) -> None:
    runs = Runs()
    run = runs.candidate(guest(), 0.0)
    run.boot = replace(run.boot, state=state)
    assert runs.see(guest(run=None), now=1.0) is Seen.GONE
    assert (runs.boots, runs.up) == ({}, {})


def test_wishes_may_change_while_a_guest_waits() -> None:
    runs = Runs()
    held(runs)
    runs.see(paused(wish=BootWish(priority=7, after=("db",), exempt=True)), now=1.0)
    boot = runs.boots["uuid-a"].boot
    assert (boot.priority, boot.after, boot.exempt) == (7, ("db",), True)


def test_who_manages_a_guest_is_in_its_boot() -> None:
    run = Runs().candidate(guest(managers=frozenset({Manager.NOVA})), 0.0)
    assert (run.boot.managed, run.boot.queued) == ("nova", False)


def test_a_boot_that_timed_out_is_told_for_an_hour() -> None:
    runs = Runs()
    run = runs.count(guest(), "limit", 0.0)
    run.boot = replace(run.boot, state=BootState.TIMED_OUT, ended_at=10.0)
    runs.grow_old(10.0 + KEPT_SECONDS)
    assert "uuid-a" in runs.boots
    runs.grow_old(11.0 + KEPT_SECONDS)
    assert runs.boots == {}
    assert runs.queue("").up == {"a"}
