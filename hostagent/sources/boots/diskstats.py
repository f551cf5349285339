"""The node's disks: /proc/diskstats and /proc/pressure/io.

Formats: Documentation/admin-guide/iostats.rst, accounting/psi.rst.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from hostagent.model.boot import DiskStats
from hostagent.model.host import Trouble
from hostagent.sources.deadline import ReadError
from hostagent.sources.memory_text import parse_pressure

if TYPE_CHECKING:
    from collections.abc import Mapping

_FIELDS = 14  # with the fields that discards and flushes add there are more


def read_disks(proc_dir: str = "/proc") -> Mapping[str, DiskStats]:
    """All block devices, partitions too, by name.

    Raises:
        ReadError: with its trouble.
    """
    path = Path(proc_dir, "diskstats")
    try:
        return parse_diskstats(path.read_text(encoding="utf-8", errors="replace"))
    except OSError as error:
        raise ReadError(Trouble.INVALID, f"{path} can't be read: {error}") from error


def parse_diskstats(text: str) -> dict[str, DiskStats]:
    """Every line that is understood."""
    found = {}
    for line in text.splitlines():
        words = line.split()
        if len(words) < _FIELDS or not all(word.isascii() and word.isdigit() for word in words[3:_FIELDS]):
            continue
        reads, _, _, read_ms, writes, _, _, write_ms, in_flight, *_ = map(int, words[3:_FIELDS])
        found[words[2]] = DiskStats(
            requests=reads + writes, busy_seconds=(read_ms + write_ms) / 1000, in_flight=in_flight
        )
    return found


def read_io_pressure(proc_dir: str = "/proc") -> float | None:
    """How much of the last 10 s all that ran here stood still for I/O (full avg10), in percent.

    None where the kernel does not count it (psi=0, CONFIG_PSI).
    """
    try:
        pressure = parse_pressure(Path(proc_dir, "pressure/io").read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None
    return None if pressure is None else pressure.full_avg10
