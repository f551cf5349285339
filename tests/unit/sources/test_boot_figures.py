"""libvirt's bulk statistics, /proc/diskstats and /proc/pressure/io → counters."""

from pathlib import Path
from typing import Any

import pytest

from hostagent.model.boot import DiskStats
from hostagent.model.boot_guests import GuestFigures
from hostagent.sources.boots.diskstats import parse_diskstats, read_disks, read_io_pressure
from hostagent.sources.boots.figures import figures_of_numbers
from hostagent.sources.deadline import ReadError

# As libvirt 9.0 says it of a guest with a disk and an empty CD drive.
RUNNING = {
    "vcpu.current": 2,
    "vcpu.maximum": 4,
    "vcpu.0.state": 1,
    "vcpu.0.time": 1_500_000_000,
    "vcpu.0.wait": 0,
    "vcpu.0.delay": 250_000_000,
    "vcpu.3.time": 500_000_000,
    "block.count": 2,
    "block.0.name": "vda",
    "block.0.rd.reqs": 100,
    "block.0.rd.bytes": 409_600,
    "block.0.rd.times": 2_000_000_000,
    "block.0.wr.reqs": 11,
    "block.0.wr.times": 500_000_000,
    "block.0.fl.reqs": 5,
    "block.1.name": "sda",
}


def test_a_running_guest() -> None:
    found = figures_of_numbers(RUNNING)
    assert found == GuestFigures(
        disks={"vda": DiskStats(requests=111, busy_seconds=2.5)},
        vcpu_seconds=2.0,
        vcpu_waited_seconds=0.25,
        vcpus=2,
    )
    assert found is not None
    assert found.requests == 111


@pytest.mark.parametrize(
    ("numbers", "found"),
    [
        ({}, None),
        ({"vcpu.current": 1, "vcpu.maximum": 1}, None),
        ({"block.count": 1, "block.0.name": "vda", "vcpu.current": 1, "vcpu.0.time": 5}, None),
        (
            {"block.count": 0, "vcpu.current": 1, "vcpu.0.time": 10**9},
            GuestFigures(disks={}, vcpu_seconds=1.0),
        ),
        (
            {"block.count": 1, "block.0.name": "vda", "block.0.rd.reqs": 3},
            GuestFigures(disks={"vda": DiskStats(requests=3, busy_seconds=0)}),
        ),
    ],
    ids=["nothing", "shut off", "monitor in use", "no disk", "no vcpu times"],
)
def test_what_libvirt_did_not_say(numbers: dict[str, Any], found: GuestFigures | None) -> None:
    assert figures_of_numbers(numbers) == found


DISKSTATS = """\
   8       0 sda 100 5 8000 1500 50 2 400 2500 3 900 4000 0 0 0 0 7 12
   8       1 sda1 1 0 8 1 0 0 0 0 0 1 1
 104       0 cciss/c0d0 1 0 8 1 0 0 0 0 0 1 1
   8       2 short 1 2 3
   8       3 odd x 5 8000 1500 50 2 400 2500 3 900 4000

"""


def test_diskstats(tmp_path: Path) -> None:
    found = parse_diskstats(DISKSTATS)
    assert found["sda"] == DiskStats(requests=150, busy_seconds=4.0, in_flight=3)
    assert set(found) == {"sda", "sda1", "cciss/c0d0"}
    (tmp_path / "diskstats").write_text(DISKSTATS)
    assert read_disks(str(tmp_path)) == found
    assert read_disks(), "this machine has disks"


def test_no_diskstats(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match="diskstats can't be read"):
        read_disks(str(tmp_path))


REST = "avg60=1.00 avg300=0.00 total=5"


@pytest.mark.parametrize(
    ("text", "percent"),
    [
        (f"some avg10=90.00 {REST}\nfull avg10=41.25 {REST}\n", 41.25),
        ("", None),
        ("some avg10=x\n", None),
    ],
)
def test_pressure(tmp_path: Path, text: str, percent: float | None) -> None:
    assert read_io_pressure(str(tmp_path)) is None
    (tmp_path / "pressure").mkdir()
    (tmp_path / "pressure/io").write_text(text)
    assert read_io_pressure(str(tmp_path)) == percent
