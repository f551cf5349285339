"""KSM for real: what the model says of it is what the kernel does, and what it predicts happens.

Three processes of 1 GiB, of which 768 MiB are equal in all. Machine-wide: it switches KSM on, and puts the
old values back; other guests would merge with it and write. run=2 is never written.
"""

from __future__ import annotations

import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from hostagent.config import Memory
from hostagent.decide.memory.view import MemoryView, view
from hostagent.model.guests_memory import GuestMemory, GuestsMemory, Promise
from hostagent.sources.memory import MemoryReader
from hostagent.sources.processes import read_process
from tests.live.ksm_switch import ALONE, number, on_cpus_lists, switched_on, until_merged

if TYPE_CHECKING:
    from collections.abc import Iterator

GIB = 1 << 30
MIB = 1 << 20
COMMON = 768 * MIB
COUNT = 3

pytestmark = ALONE


@pytest.fixture
def running() -> Iterator[None]:
    with switched_on():
        yield


@pytest.fixture
def processes(running: None) -> Iterator[list[subprocess.Popen[str]]]:
    assert running is None
    started = []
    script = str(Path(__file__).with_name("ksm_process.py"))
    for name in "abc"[:COUNT]:
        argv = [sys.executable, script, name, str(GIB // MIB), str(COMMON // MIB)]
        pipe = subprocess.PIPE
        started.append(subprocess.Popen(argv, stdin=pipe, stdout=pipe, text=True))
    try:
        for each in started:
            hear(each, "ready\n")
        yield started
    finally:
        for each in started:
            with suppress(BrokenPipeError):
                each.communicate(timeout=30)


def hear(process: subprocess.Popen[str], word: str) -> None:
    assert process.stdout is not None
    assert process.stdout.readline() == word


def look(processes: list[subprocess.Popen[str]]) -> MemoryView:
    promise = Promise(maximum=GIB, current=GIB, vcpus=1)
    by_uuid = {
        str(each.pid): GuestMemory(
            uuid=str(each.pid), name=str(each.pid), promise=promise, process=read_process("/proc", each.pid)
        )
        for each in processes
    }
    found = view(MemoryReader().read(), GuestsMemory(by_uuid=by_uuid), Memory())
    assert isinstance(found, MemoryView)
    return found


def proportional(processes: list[subprocess.Popen[str]]) -> int:
    """What the processes take together, each page once (Pss)."""
    texts = [Path(f"/proc/{each.pid}/smaps_rollup").read_text() for each in processes]
    return sum(
        int(line.split()[1]) << 10 for text in texts for line in text.splitlines() if line[:4] == "Pss:"
    )


def test_the_model_is_the_kernels_account(processes: list[subprocess.Popen[str]]) -> None:
    before, kept_before = look(processes), on_cpus_lists()
    until_merged()
    seen, kept = look(processes), on_cpus_lists()
    budget, ksm = seen.budget, seen.budget.ksm
    assert ksm is not None
    assert budget.guests is not None
    assert budget.saved is not None
    assert budget.available is not None

    page = seen.memory.page_bytes
    own = [guest.process for guest in seen.guests.all() if guest.process] if seen.guests else []
    places = sum(process.merging_pages or 0 for process in own)
    every = number("pages_shared") + number("pages_sharing")

    # What is merged is what the content says: of three equal pages one is kept. A guest that somebody
    # starts meanwhile merges as well.
    assert places * page == pytest.approx(COUNT * COMMON, rel=0.01)
    foreign = max(0, every - places) * page
    assert (COUNT - 1) * COMMON * 0.99 <= budget.saved <= (COUNT - 1) * COMMON * 1.01 + foreign
    assert budget.saved == pytest.approx(number("pages_sharing") * page, rel=0.01)
    # Metadata: the items that the processes themselves count, and a foreign one's.
    items = sum(process.rmap_items or 0 for process in own) * 64
    assert items * 0.99 <= ksm.metadata <= items * 1.01 + foreign / 64 * 10
    # Profit: the kernel's own figure, and what the model would say without it.
    assert ksm.profit == pytest.approx(number("general_profit"), rel=0.01)
    assert budget.saved - ksm.metadata == pytest.approx(number("general_profit"), rel=0.01)
    # The guests' shares: a third each, and together their part of the whole.
    shares = [share.saved or 0 for share in budget.guests]
    assert sum(shares) == pytest.approx(budget.saved * places / every, rel=0.01)
    assert shares == pytest.approx([sum(shares) / COUNT] * COUNT, rel=0.01)
    assert ksm.mergeable == pytest.approx(COUNT * GIB, rel=0.02)  # and Python itself

    # Unmerge headroom is less than what is available by exactly what is merged.
    assert budget.unmerge == budget.available - budget.saved
    assert before.budget.available is not None
    free_before = before.budget.available + kept_before
    assert budget.unmerge + kept == pytest.approx(free_before, rel=0.05)
    merged = proportional(processes)
    written_before = seen.memory.counters.merged_written
    for each in processes:
        assert each.stdin is not None
        each.stdin.write("write\n")
        each.stdin.flush()
    for each in processes:
        hear(each, "written\n")
    after, kept_after = look(processes), on_cpus_lists()
    assert after.budget.available is not None
    # Predicted against observed: what is left, and what the processes came to take, which no other
    # program of this machine can blur.
    assert after.budget.available + kept_after == pytest.approx(budget.unmerge + kept, rel=0.05)
    assert proportional(processes) - merged == pytest.approx((COUNT - 1) * COMMON, rel=0.01)
    if written_before is not None and after.memory.counters.merged_written is not None:
        pages = after.memory.counters.merged_written - written_before
        assert COUNT * COMMON * 0.99 <= pages * page <= COUNT * COMMON * 1.01 + foreign
