"""Who is released, who waits, and in which words."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hostagent.decide.boot.gate import why_not_held
from hostagent.decide.boot.order import circle
from hostagent.decide.boot.queue import flights, release
from hostagent.model.boot import Admit, Boot, BootState, Flight, Queue, Started, Wait
from tests.unit.decide.boot.make import PACING, admitted, boot, decide, ended, limits


def test_the_limit_holds_and_each_wait_says_why_and_how_long() -> None:
    running = replace(boot("a", BootState.BOOTING), started_at=0.0)
    made = decide(running, boot("b"), boot("c"), boot("d"), limit=2, now=20.0)
    assert made["b"] == Admit(uuid="uuid-b", name="b", reason="boot 2 of 2")
    assert made["c"] == Wait(
        uuid="uuid-c", name="c", reason="2 boots running, limit 2", expected_seconds=100.0
    )
    assert made["d"] == Wait(
        uuid="uuid-d", name="d", reason="2 boots running, limit 2", expected_seconds=120.0
    )


def test_a_guest_that_has_gone_quiet_gives_its_place_to_the_next_before_it_has_settled() -> None:
    quiet = replace(boot("a", BootState.BOOTING), quiet=True)
    assert admitted(decide(quiet, boot("b"), boot("c"), limit=1)) == ["b"]
    child = decide(quiet, boot("b", after="a"), limit=1, now=20.0)["b"]
    waits = "starts after a, which is booting"
    assert child == Wait(uuid="uuid-b", name="b", reason=waits, expected_seconds=0.0)


def test_one_that_turns_busy_again_counts_again_and_nobody_else_goes() -> None:
    quiet = replace(boot("a", BootState.BOOTING), quiet=True)
    other = boot("b", BootState.BOOTING)
    assert flights(Queue(boots=(quiet, other)), limits(1))["node"].booting == 1
    made = decide(replace(quiet, quiet=False), other, boot("c"), limit=1, now=20.0)["c"]
    assert made.reason == "2 boots running, limit 1"


def test_priority_comes_before_first_come() -> None:
    late = replace(boot("late", at=5.0), priority=1)
    assert admitted(decide(boot("early"), late, limit=1, now=10.0)) == ["late"]


def test_waiting_raises_priority() -> None:
    late = replace(boot("late", at=650.0), priority=1)
    assert admitted(decide(boot("early"), late, limit=1, now=599.0)) == ["late"]
    assert admitted(decide(boot("early"), late, limit=1, now=700.0)) == ["early"]


def test_whom_others_wait_for_has_the_priority_of_the_most_urgent() -> None:
    web = replace(boot("web", after="db", at=1.0), priority=9)
    made = decide(boot("other"), boot("db", at=2.0), web, limit=1, now=3.0)
    assert admitted(made) == ["db"]
    assert made["web"].reason == "starts after db, which is waiting"


def test_a_guest_starts_after_its_parent_has_settled() -> None:
    for state in (BootState.WAITING, BootState.HELD, BootState.BOOTING):
        assert "web" not in admitted(decide(boot("db", state), boot("web", after="db"), limit=9, now=5000.0))
    assert admitted(decide(boot("db", BootState.SETTLED), boot("web", after="db"))) == ["web"]


def test_a_parent_that_runs_since_long_ago_is_no_parent_to_wait_for() -> None:
    queue = Queue(boots=(boot("web", after="db"),), up=frozenset({"db"}))
    made = release(queue, limits(1), 0.0, pacing=PACING, memory=lambda _: "")
    assert isinstance(made[0], Admit)


def test_a_dead_parent_times_out_and_says_so() -> None:
    web = boot("web", after="db")
    made = decide(web, now=500.0)["web"]
    assert made.reason == "starts after db, which is not under way; without it in 100 s"
    made = decide(web, now=600.0)["web"]
    assert isinstance(made, Admit)
    assert made.reason == "boot 1 of 2, after 600 s without db, which is not under way"
    db = ended(boot("db"), BootState.TIMED_OUT, at=300.0)
    assert isinstance(decide(db, web, now=899.0)["web"], Wait)
    made = decide(db, web, now=900.0)["web"]
    assert made.reason == "boot 1 of 2, after 600 s without db, which timed out"


def test_a_circle_has_a_path_and_times_out_at_run() -> None:
    assert circle({"a": ["b"], "b": ["c", "x"], "c": ["a"], "x": []}) == ("a", "b", "c", "a")
    assert circle({"a": ["a"]}) == ("a", "a")
    assert circle({"a": ["b", "c"], "b": ["d"], "c": ["d"]}) == ()
    boots = (boot("a", after="b"), boot("b", after="a"))
    assert decide(*boots, now=1.0)["a"].reason == (
        "starts after b, which starts after itself (a → b → a); without it in 599 s"
    )
    assert admitted(decide(*boots, now=600.0, limit=1)) == ["a"]


def test_exempt_and_urged_guests_go_past_the_limit_and_past_a_stop() -> None:
    boots = (
        boot("a", BootState.BOOTING),
        replace(boot("b"), exempt=True),
        replace(boot("c", BootState.HELD), urged=True),
        boot("d"),
    )
    queue = Queue(boots=boots, stopped="held by a person")
    made = release(queue, limits(1), 0.0, pacing=PACING, memory=lambda _: "no")
    assert [(each.name, each.reason) for each in made] == [
        ("b", "exempt from pacing"),
        ("c", "a person said go"),
        ("d", "held by a person"),
    ]


def test_managed_guests_are_counted_and_nothing_is_decided_about_them() -> None:
    nova = [replace(boot(f"n{n}", BootState.BOOTING), managed="nova") for n in range(2)]
    paused = replace(boot("n9", BootState.HELD), managed="nova")
    made = decide(*nova, paused, boot("a"), limit=2)
    assert {name: each.reason for name, each in made.items()} == {"a": "2 boots running, limit 2"}
    assert flights(Queue(boots=(*nova, paused, boot("a"))), limits(2)) == {
        "node": Flight(booting=2, waiting=1)
    }


def test_pools_have_limits_of_their_own_and_unknown_ones_count_in_the_node() -> None:
    known = {**limits(1), "fast": limits(2)["node"]}
    boots = tuple(replace(boot(f"{pool}{n}"), pool=pool) for pool in ("fast", "gone") for n in range(3))
    made = release(Queue(boots=boots), known, 0.0, pacing=PACING, memory=lambda _: "")
    assert [each.name for each in made if isinstance(each, Admit)] == ["fast0", "fast1", "gone0"]


def test_starts_keep_their_spacing() -> None:
    pacing = replace(PACING, spacing_seconds=0.5)
    made = decide(boot("a"), boot("b"), limit=5, pacing=pacing)
    assert made["b"].reason == "next start in 0.5 s"
    queue = Queue(boots=(boot("b"),), admitted_at=0.0)
    later = release(queue, limits(5), 0.5, pacing=pacing, memory=lambda _: "")
    assert isinstance(later[0], Admit)


def test_memory_is_asked_of_the_next_one_only_and_its_reason_is_the_answer() -> None:
    asked: list[str] = []

    def memory(each: object) -> str:
        asked.append(getattr(each, "name", ""))
        return "needs 4 GiB, 1 GiB is left" if asked[-1] == "big" else ""

    boots = (boot("big"), boot("next", at=1.0), boot("last", at=2.0))
    made = release(Queue(boots=boots), limits(1), 5.0, pacing=PACING, memory=memory)
    assert [each.reason for each in made] == [
        "needs 4 GiB, 1 GiB is left",
        "boot 1 of 1",
        "1 boot running, limit 1",
    ]
    assert asked == ["big", "next"]


@pytest.mark.parametrize(
    ("guest", "started", "why"),
    [
        (boot("a"), Started(cause="booted"), ""),
        (replace(boot("a"), managed="nova"), Started(cause="booted"), "nova runs it"),
        (replace(boot("a"), exempt=True), Started(cause="booted"), "exempt from pacing"),
        (boot("a"), Started(cause="migrated"), "it was migrated, not booted"),
        (boot("a"), Started(cause="restored"), "it was restored, not booted"),
        (boot("a"), Started(cause="from snapshot"), "it was from snapshot, not booted"),
        (boot("a"), Started(cause="booted", paused="a person"), "already paused by a person"),
        (boot("a"), Started(cause="booted", requests=7), "already did 7 I/Os"),
    ],
)
def test_only_a_guest_that_just_booted_by_itself_is_held(guest: Boot, started: Started, why: str) -> None:
    assert why_not_held(guest, started) == why
