"""What the examples of the checks of boots can't show: the words, the settings, an agent that hangs."""

from dataclasses import replace

import pytest

from hostagent.config import Pacing, Settings
from hostagent.health.api import State, Verdict
from hostagent.health.case import parse_context
from hostagent.health.loader import load_checks

CHECKS = load_checks("/nonexistent").by_code
BOOTS = [code for code in CHECKS if code.startswith("BOOT_") or code == "DISK_LATENCY_HIGH"]
BY_AGENT = ["BOOT_QUEUE_STUCK", "BOOT_GUEST_TIMED_OUT", "DISK_LATENCY_HIGH"]


def verdict(code: str, host: str, pacing: Pacing | None = None) -> Verdict:
    settings = replace(Settings(), boot=pacing or Pacing())
    return CHECKS[code].evaluate(replace(parse_context(host), settings=settings))


def guests(count: int) -> str:
    return "boots = {}\n" + "".join(
        f'[[domain]]\nname = "g{number}"\nautostart = true\n' for number in range(count)
    )


@pytest.mark.parametrize("code", BOOTS)
@pytest.mark.parametrize(
    ("host", "pacing", "words"),
    [
        ("boots = { enabled = false }", None, "boot.enabled is false"),
        ("boots = {}", Pacing(enabled=False), "boot.enabled is false"),
        ("", None, "a look without the agent"),
    ],
)
def test_where_boots_are_not_paced_nothing_is_said(
    code: str, host: str, pacing: Pacing | None, words: str
) -> None:
    found = verdict(code, host, pacing)
    assert found.state is State.SKIP
    assert words in found.summary


@pytest.mark.parametrize("code", BOOTS)
def test_a_fresh_node_is_well(code: str) -> None:
    assert verdict(code, guests(2)).state in {State.OK, State.SKIP}


@pytest.mark.parametrize("code", BY_AGENT)
def test_a_pacing_that_hangs_is_unknown(code: str) -> None:
    context = parse_context("boots = {}")
    late = replace(context, snapshot=replace(context.snapshot, taken_at=600.0))
    found = CHECKS[code].evaluate(late)
    assert (found.state, "nothing for 10 min" in found.summary) == (State.UNKNOWN, True)


def test_how_many_autostart_guests_are_a_risk_is_a_setting() -> None:
    found = verdict("BOOT_UNADOPTED_AUTOSTART", guests(3))
    assert (found.state, found.summary) == (State.OK, "3 guests with libvirt's autostart, 8 may boot at once")
    found = verdict("BOOT_UNADOPTED_AUTOSTART", guests(3), Pacing(first_limit=2))
    assert (found.state, found.summary) == (
        State.WARN,
        "3 guests with libvirt's autostart, only 2 may boot at once",
    )
    assert [each.id for each in found.objects] == ["g0", "g1", "g2"]


def test_what_the_settings_say_is_managed_is_left_out() -> None:
    host = guests(2) + '[[domain]]\nname = "pcs-db"\nautostart = true\nboot.after = ["pcs-db"]\n'
    mine = Pacing(first_limit=2)
    assert verdict("BOOT_UNADOPTED_AUTOSTART", host, mine).state is State.WARN
    assert verdict("BOOT_DEPENDENCY_CYCLE", host, mine).state is State.WARN
    cluster = Pacing(first_limit=2, managed=("pcs-*",))
    assert verdict("BOOT_UNADOPTED_AUTOSTART", host, cluster).state is State.OK
    assert verdict("BOOT_DEPENDENCY_CYCLE", host, cluster).state is State.OK


@pytest.mark.parametrize(
    ("boots", "words"),
    [
        (
            'halted = "paused by root"',
            "1 guest waits, and the agent neither holds nor releases: paused by root",
        ),
        ('hold = "rebuilding"', "1 guest waits, and a person stopped all releases: rebuilding"),
        ("released_ago = 700", "1 guest waits in vain, for 12 min"),
        ("released_ago = 9", "1 guest waits for its turn"),
    ],
)
def test_why_the_queue_is_stuck(boots: str, words: str) -> None:
    guest = '[[boots.guest]]\nname = "a"\nago = 900\nreason = "8 boots running, limit 8"'
    assert verdict("BOOT_QUEUE_STUCK", f"[boots]\n{boots}\n{guest}").summary == words


def test_who_came_up_late_is_told_as_such() -> None:
    guest = '[[boots.guest]]\nname = "a"\nstate = "timed out"\nago = 300\nrequests = 9\n'
    (late,) = verdict("BOOT_GUEST_TIMED_OUT", guest).objects
    assert late.detail == "not settled, 5 min ago, 9 I/Os"
    (late,) = verdict("BOOT_GUEST_TIMED_OUT", f'{guest}agent = true\nmanaged = "nova"\n').objects
    assert late.detail == "not settled, 5 min ago, 9 I/Os, nova runs it; its guest agent is connected now"


def test_a_circle_is_told_with_its_path() -> None:
    rows = [("a", "b"), ("b", "c"), ("c", "a"), ("d", "gone")]
    host = "".join(f'[[domain]]\nname = "{name}"\nboot.after = ["{after}"]\n' for name, after in rows)
    found = verdict("BOOT_DEPENDENCY_CYCLE", f"boots = {{}}\n{host}")
    assert found.summary == "1 circle and 1 name of no domain"
    assert [(each.id, each.detail) for each in found.objects] == [
        ("a/b/c", "a → b → c → a: each waits 10 min in vain"),
        ("d/gone", "d starts after gone, which is no domain here"),
    ]


def test_a_slow_pool_is_told_with_what_boots_there() -> None:
    pool = (
        '[[boots.pool]]\npool = "sda"\nlatency_seconds = 0.2\ntarget_seconds = 0.04\nslow_ago = 360\n'
        "limit = 1\nbooting = 1\nqueued = 12"
    )
    found = verdict("DISK_LATENCY_HIGH", pool)
    assert found.summary == "1 of 1 measured pools is above 1.5 times the target"
    assert [each.detail for each in found.objects] == [
        "sda: 200.0 ms, target 40 ms, for 6 min; 1 boot running, limit 1, the least there may be, 12 waiting"
    ]
    assert verdict("DISK_LATENCY_HIGH", pool.replace("360", "20")).summary == "sda: 200.0 ms, target 40 ms"
