"""The host's memory as several kernels write it, and as this machine's does."""

import os
import time
from pathlib import Path

import pytest

from hostagent.model.host import Trouble
from hostagent.model.memory import HugePool, SwapArea
from hostagent.sources.deadline import ReadError
from hostagent.sources.memory import MemoryReader, read_memory
from hostagent.sources.memory_text import parse_list, parse_meminfo, parse_pressure, parse_swaps
from hostagent.sources.processes import read_process, read_processes

TREES = Path(__file__).parents[2] / "fixtures" / "memory"
KERNELS = ("5.15", "6.1", "6.8", "6.18")
A, B = (f"0b1c2d3e-0000-4000-8000-00000000000{name}" for name in "ab")
GIB = 1 << 30
PAGES = 163840


@pytest.mark.parametrize("kernel", KERNELS)
def test_every_kernel_gives_what_all_have(kernel: str) -> None:
    root = TREES / f"linux-{kernel}"
    counters, memory = read_memory(str(root / "proc"), str(root / "sys"), now=7.0)
    assert (memory.total, memory.available, memory.threads) == (64 * GIB, 52 * GIB, 16)
    assert (counters.at, counters.swapped_in, counters.oom_kills) == (7.0, 0, 0)
    assert memory.ksm is not None
    assert (memory.ksm.run, memory.ksm.shared, memory.ksm.sharing) == (1, 65536, 262144)
    assert (memory.ksm.unshared, memory.ksm.volatile, memory.ksm.full_scans) == (524288, 131072, 12)
    assert [(pool.page_bytes, pool.total) for pool in memory.pools] == [(2 << 20, 0), (GIB, 0)]
    assert memory.pressure is not None
    assert memory.swaps == ()


@pytest.mark.parametrize(
    ("kernel", "written", "profit", "zero_pages", "advisor"),
    [
        ("5.15", None, None, None, None),
        ("6.1", 4711, None, None, None),
        ("6.8", 4711, 1010827264, 0, "none"),
        ("6.18", 4711, 1010827264, 0, "none"),
    ],
)
def test_what_only_newer_kernels_have_is_none_before(
    kernel: str,
    written: int | None,
    profit: int | None,
    zero_pages: int | None,
    advisor: str | None,
) -> None:
    root = TREES / f"linux-{kernel}"
    counters, memory = read_memory(str(root / "proc"), str(root / "sys"), now=7.0)
    assert memory.ksm is not None
    assert counters.merged_written == written
    assert (memory.ksm.general_profit, memory.ksm.zero_pages) == (profit, zero_pages)
    assert (memory.ksm.advisor, memory.ksm.smart_scan) == (advisor, None if advisor is None else True)


@pytest.mark.parametrize(
    ("kernel", "merging", "items", "zero_pages", "profit"),
    [
        ("5.15", None, None, None, None),
        ("6.1", PAGES, 491520, None, None),
        ("6.8", PAGES, 491520, 0, 639631360),
        ("6.18", PAGES, 491520, 0, 639631360),
    ],
)
def test_processes(
    kernel: str, merging: int | None, items: int | None, zero_pages: int | None, profit: int | None
) -> None:
    found = read_processes(str(TREES / f"linux-{kernel}" / "proc"), {A, B})
    assert {uuid: process.pid for uuid, process in found.items()} == {A: 2101, B: 2102}
    process = found[A]
    assert (process.anonymous, process.file, process.tables) == (6 * GIB, 32 << 20, 16 << 20)
    assert process.resident == 6324224 << 10, "VmRSS"
    assert (process.merging_pages, process.rmap_items) == (merging, items)
    assert (process.zero_pages, process.profit) == (zero_pages, profit)


def test_a_guest_with_two_processes_has_none(tmp_path: Path) -> None:
    """It is migrated within the host: whose figures would they be?"""
    for pid in (1, 2):
        (tmp_path / str(pid)).mkdir()
        (tmp_path / str(pid) / "comm").write_text("qemu-kvm\n")
        (tmp_path / str(pid) / "cmdline").write_text(f"qemu-kvm\0-uuid\0{A}\0")
        (tmp_path / str(pid) / "status").write_text("RssAnon:\t 1 kB\n")
    assert read_processes(str(tmp_path), {A}) == {}
    assert read_processes(str(tmp_path), {B}) == {}


def test_no_proc(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match="check sources") as raised:
        read_memory(str(tmp_path), str(tmp_path), now=0.0)
    assert raised.value.trouble is Trouble.INVALID
    with pytest.raises(ReadError):
        read_processes(str(tmp_path / "proc"), {A})


def test_nodes() -> None:
    root = TREES / "linux-6.8"
    _, memory = read_memory(str(root / "proc"), str(root / "sys"), now=7.0)
    assert [(node.number, node.total, node.huge) for node in memory.nodes] == [
        (0, 32 * GIB, 0),
        (1, 32 * GIB, 0),
    ]


def test_the_past_is_a_quarter_of_an_hour_in_steps() -> None:
    root = TREES / "linux-6.8"
    reader = MemoryReader(str(root / "proc"), str(root / "sys"))
    assert reader.read(now=0.0).past == ()
    for now in (1.0, 19.0, 20.0, 39.0, 60.0):
        last = reader.read(now=now)
    assert [each.at for each in last.past] == [0.0, 20.0]
    assert [each.at for each in reader.read(now=930.0).past] == [60.0]


def test_a_single_look_at_a_host_that_swapped_looks_twice(tmp_path: Path) -> None:
    (tmp_path / "meminfo").write_text("MemTotal: 4 kB\n")
    (tmp_path / "vmstat").write_text("pswpin 5\n")
    (tmp_path / "swaps").write_text("Filename Type Size Used Priority\n/dev/sda2 partition 8 4 -2\n")
    began = time.monotonic()
    found = MemoryReader(str(tmp_path), str(tmp_path)).read(now=100.0)
    assert 0.4 < time.monotonic() - began < 10
    assert [each.at for each in found.past] == [100.0]
    assert found.counters.at == 100.5


def test_texts() -> None:
    assert parse_meminfo("Node 0 MemTotal:  8 kB\nHugePages_Total:   3\nodd\n") == {
        "MemTotal": 8192,
        "HugePages_Total": 3,
    }
    assert parse_pressure("") is None
    assert parse_pressure("some avg10=1.00 avg60=2.00 avg300=3.00 total=4\n") is None, "no full before 5.2"
    header = "Filename Type Size Used Priority\n"
    assert parse_swaps(f"{header}/a\\040b file 8 4 -2\n/dev/zram0 partition 8 0 100\n") == (
        SwapArea(path="/a b", size=8192, used=4096),
        SwapArea(path="/dev/zram0", size=8192, used=0, compressed=True),
    )
    assert parse_list("0-3,8,^2") == {0, 1, 3, 8}
    assert parse_list("") == parse_list("none") == frozenset()
    assert HugePool(page_bytes=2, total=3).bytes == 6


@pytest.mark.skipif(not Path("/proc/meminfo").exists(), reason="no Linux")
def test_this_machine() -> None:
    memory = MemoryReader().read()
    assert memory.total == os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    assert memory.threads == os.sysconf("SC_NPROCESSORS_ONLN")
    assert memory.available is not None
    assert memory.available < memory.total
    process = read_process("/proc", os.getpid())
    statm = Path("/proc/self/statm").read_text().split()
    assert process is not None
    assert process.resident == pytest.approx(int(statm[1]) * memory.page_bytes, rel=0.05)
