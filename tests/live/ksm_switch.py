"""KSM switched on for a test and put back; where it can't be, or is used by others, the test is skipped."""

from __future__ import annotations

import os
import re
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

KSM = Path("/sys/kernel/mm/ksm")
ALONE = [
    pytest.mark.alone,
    pytest.mark.skipif(os.geteuid() != 0, reason="KSM is switched on by root"),
    pytest.mark.skipif(not os.access(KSM / "run", os.W_OK), reason="this kernel has no KSM to switch on"),
]


@contextmanager
def switched_on() -> Iterator[None]:
    """KSM runs, fast; run=2 is never written."""
    wanted = {"pages_to_scan": 20000, "sleep_millisecs": 20, "use_zero_pages": 0, "run": 1}
    if (KSM / "smart_scan").exists():
        # It passes over pages that did not merge, for up to eight passes: which are merged is then chance for
        # long (207,505 of 262,144 pages of three guests when a pass merged nothing more).
        wanted = {"smart_scan": 0, **wanted}
    old = {name: (KSM / name).read_text() for name in wanted}
    if old["run"].strip() != "0":
        pytest.skip("KSM is in use on this machine")
    if there := guests():
        pytest.skip(f"{there} guests run on this machine")
    before = number("pages_sharing")
    try:
        for name, value in wanted.items():
            (KSM / name).write_text(str(value))
        yield
    finally:
        # Once it is stopped its counters stay, also when the processes have gone: wake it to see that.
        deadline = time.monotonic() + 20
        while number("pages_sharing") > before and time.monotonic() < deadline:
            (KSM / "run").write_text("0")
            (KSM / "run").write_text("1")
            time.sleep(0.5)
        for name in reversed(wanted):
            (KSM / name).write_text(old[name])


def guests() -> int:
    """How many QEMUs run on this machine."""
    found = 0
    for comm in Path("/proc").glob("[0-9]*/comm"):
        with suppress(OSError):
            found += comm.read_text().startswith("qemu-system")
    return found


def on_cpus_lists() -> int:
    """Bytes on the processors' own lists of free pages, which MemAvailable does not count.

    What KSM frees goes there first. The lists' size is automatic since Linux 6.7, up to an eighth of the
    memory, and falls slowly: 1,041 MiB of 1,536 right after merging, 271 a minute later.
    """
    text = Path("/proc/zoneinfo").read_text()
    pages = sum(int(count) for count in re.findall(r"^ +count: +([0-9]+)", text, re.MULTILINE))
    return pages * os.sysconf("SC_PAGESIZE")


def number(name: str) -> int:
    return int((KSM / name).read_text())


def until_merged() -> None:
    """Three passes in turn that merged nothing more: a page is seen in one, and merged in the next."""
    deadline, last, scans, still = time.monotonic() + 120, -1, number("full_scans"), 0
    while time.monotonic() < deadline:
        if number("full_scans") > scans:
            now, scans = number("pages_sharing"), number("full_scans")
            still = still + 1 if now == last > 0 else 0
            if still == 3:
                return
            last = now
        time.sleep(0.1)
    pytest.fail(f"KSM still merges: {number('pages_sharing')} pages after 120 s")
