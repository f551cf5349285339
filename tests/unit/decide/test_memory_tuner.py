"""KSM's pace: what is written, what is handed back, and that run is never made 2."""

import pytest
from hypothesis import given
from hypothesis import strategies as some

from hostagent.decide.memory.tuner import restored, wishes
from hostagent.model.memory import Ksm


def ksm(*, run: int = 1, pages: int = 0, pace: int = 100, sleep: int = 20, advisor: str | None = None) -> Ksm:
    return Ksm(
        run=run,
        shared=0,
        sharing=0,
        unshared=pages,
        volatile=0,
        full_scans=0,
        pages_to_scan=pace,
        sleep_milliseconds=sleep,
        advisor=advisor,
    )


def pace(found: Ksm, *, seconds: float = 3600, percent: int = 20, busy: float | None = None) -> int:
    return int(dict(wishes(found, scan_seconds=seconds, cpu_percent=percent, busy=busy))["pages_to_scan"])


def test_with_an_advisor_the_kernel_finds_the_pace() -> None:
    assert wishes(ksm(run=0, advisor="none"), scan_seconds=3600.4, cpu_percent=15) == (
        ("advisor_mode", "scan-time"),
        ("advisor_target_scan_time", "3600"),
        ("advisor_max_cpu", "15"),
        ("run", "1"),
    )


@pytest.mark.parametrize(
    ("pages", "percent", "busy", "expected"),
    [
        (0, 20, None, 100),  # the kernel's default is the least
        (90_000_000, 20, None, 500),  # 343 GiB in an hour: 25,000 pages a second, 50 wakes
        (900_000_000, 20, None, 800),  # 5,000 wished; a fifth of 20 ms holds 800 pages of 5 µs
        (900_000_000, 100, None, 4000),
        (900_000_000, 20, 0.1, 2000),  # 1,000 pages took 10 %
        (900_000_000, 20, 0.4, 500),
        (90_000_000, 20, 0.0, 500),
    ],
)
def test_without_one_pages_for_the_period_within_the_cpu(
    pages: int, percent: int, busy: float | None, expected: int
) -> None:
    assert pace(ksm(pages=pages, pace=1000), percent=percent, busy=busy) == expected


def test_while_somebody_has_it_unmerge_nothing_is_written() -> None:
    assert wishes(ksm(run=2), scan_seconds=60, cpu_percent=20) == ()


def test_old_values_are_handed_back_in_the_kernels_order() -> None:
    """Switching the advisor off resets pages_to_scan, so that these come after."""
    old = {"run": "0", "pages_to_scan": "100", "advisor_mode": "none", "advisor_max_cpu": "70"}
    assert [name for name, _ in restored(old)] == ["advisor_mode", "advisor_max_cpu", "pages_to_scan", "run"]
    assert restored({"advisor_mode": "scan-time", "pages_to_scan": "711", "run": "1"}) == (
        ("advisor_mode", "scan-time"),
        ("run", "1"),
    )


@given(
    run=some.integers(0, 3),
    pages=some.integers(0, 2**40),
    pages_to_scan=some.integers(0, 2**31),
    sleep=some.integers(0, 2**31),
    advisor=some.sampled_from([None, "none", "scan-time"]),
    seconds=some.floats(10, 604_800),
    percent=some.integers(1, 100),
    busy=some.none() | some.floats(0, 64),
)
def test_never_2(
    *,
    run: int,
    pages: int,
    pages_to_scan: int,
    sleep: int,
    advisor: str | None,
    seconds: float,
    percent: int,
    busy: float | None,
) -> None:
    now = ksm(run=run, pages=pages, pace=pages_to_scan, sleep=sleep, advisor=advisor)
    found = wishes(now, scan_seconds=seconds, cpu_percent=percent, busy=busy)
    assert ("run", "2") not in found
    assert ("run", "2") not in restored({"run": str(run), "advisor_mode": advisor or "none"})
    if "pages_to_scan" in dict(found):
        assert 100 <= int(dict(found)["pages_to_scan"]) <= 100_000
