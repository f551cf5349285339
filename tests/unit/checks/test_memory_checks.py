"""What the examples of the memory checks can't show: the milder verdict, the limits, the words."""

from dataclasses import replace

import pytest

from hostagent.config import Memory, Settings
from hostagent.decide.drift import find_drift
from hostagent.decide.memory.view import MemoryView, view
from hostagent.health.api import Context, State, Verdict
from hostagent.health.case import parse_host
from hostagent.health.case_memory import guests_memory_of, memory_of
from hostagent.health.loader import load_checks

CHECKS = load_checks("/nonexistent").by_code


def verdict(code: str, host: str, limits: Memory | None = None) -> Verdict:
    snapshot = parse_host(host)
    settings = replace(Settings(), memory=limits or Memory())
    return CHECKS[code].evaluate(Context(snapshot=snapshot, drift=find_drift(snapshot), settings=settings))


@pytest.mark.parametrize(
    ("host", "state", "words"),
    [
        ("memory = { available = 6 }", State.WARN, "soft: 9.4 % of the memory is available"),
        (
            "memory = { pressure = { some_avg60 = 12.5 } }",
            State.WARN,
            "soft: something waited for memory 12.5 % of the last minute",
        ),
        ("memory = { available = 3 }", State.CRIT, "hard: 4.7 % of the memory is available"),
        ("memory = { available = 1 }", State.CRIT, "low: 1.6 % of the memory is available"),
        # Over the budget, and yet nothing is short: that is another check's.
        ('[[guest_memory]]\nname = "a"\nmaximum = 99', State.OK, "48.0 GiB (75.0 %) available"),
    ],
)
def test_pressure(host: str, state: State, words: str) -> None:
    found = verdict("MEMORY_PRESSURE", host)
    assert (found.state, found.summary) == (state, words)


def test_pressure_is_taken_back_once_it_was_better_for_a_while() -> None:
    def seen(available: int, at: float, before: MemoryView | None = None) -> MemoryView:
        host = memory_of({"available": available, "counters": {"at": at}})
        found = view(host, guests_memory_of([]), Memory(), before=before)
        assert isinstance(found, MemoryView)
        return found

    def said(memory: MemoryView) -> tuple[State, str]:
        snapshot = parse_host("")
        context = Context(snapshot=snapshot, drift=find_drift(snapshot), memory=memory)
        found = CHECKS["MEMORY_PRESSURE"].evaluate(context)
        return found.state, found.summary

    short = seen(3, 0.0)
    assert said(short) == (State.CRIT, "hard: 4.7 % of the memory is available")
    near = seen(4, 60.0, short)
    assert said(near) == (State.CRIT, "hard: 6.2 % of the memory is available"), "better, not by two points"
    wide = seen(48, 120.0, near)
    words = "hard until it was better for 5 min: 48.0 GiB (75.0 %) available now"
    assert said(wide) == (State.CRIT, words)
    assert said(seen(48, 420.0, wide)) == (State.OK, "48.0 GiB (75.0 %) available")


def test_limits_are_the_settings() -> None:
    guest = '[[guest_memory]]\nname = "a"\nmaximum = 70\nvcpus = 20\n'
    assert verdict("MEMORY_BUDGET_EXCEEDED", guest).state is State.OK
    assert verdict("MEMORY_BUDGET_EXCEEDED", guest, Memory(ratio=1.1)).state is State.WARN
    assert verdict("MEMORY_BUDGET_EXCEEDED", guest, Memory(reserved_mib=20480)).state is State.WARN
    assert verdict("CPU_BUDGET_EXCEEDED", guest).state is State.OK
    assert verdict("CPU_BUDGET_EXCEEDED", guest, Memory(cpu_ratio=1.0)).state is State.WARN
    slow = "[memory]\nksm = { run = 1, unshared = 1000000 }\n"
    assert verdict("KSM_SCAN_SLOW", slow).state is State.OK  # 1000000 / 100 * 0.02 s = 200 s
    assert verdict("KSM_SCAN_SLOW", slow, Memory(scan_seconds=199.0)).state is State.WARN


@pytest.mark.parametrize("code", [code for code in CHECKS if code.startswith(("MEMORY_", "KSM_", "CPU_"))])
def test_a_host_without_libvirt_is_no_subject(code: str) -> None:
    """A node that lost its libvirt must not look healthy because its memory is free."""
    host = 'unavailable = { guests_memory = "absent: libvirt is not installed" }'
    assert verdict(code, host).state is State.SKIP


def test_unmerge_says_what_swap_does() -> None:
    merged = "ksm = { run = 1, shared = 100000, sharing = 2621440 }"  # 10 GiB
    swap = 'swaps = [{ path = "/dev/sda2", size = 4 }]'
    found = verdict("MEMORY_UNMERGE_HEADROOM", f"[memory]\navailable = 8\n{merged}\n{swap}")
    assert found.summary == "10.0 GiB are merged, 8.0 GiB available: swap would take the rest"
    found = verdict("MEMORY_UNMERGE_HEADROOM", f"[memory]\navailable = 8\n{merged}")
    assert found.summary == "10.0 GiB are merged, 8.0 GiB available: 2.0 GiB are missing even with swap"
