"""The kernel's texts about memory → numbers, in bytes. Pure.

Formats: proc(5); Documentation/filesystems/proc.rst, accounting/psi.rst, admin-guide/mm/hugetlbpage.rst.
"""

from __future__ import annotations

import re

from hostagent.model.memory import HugePool, Pressure, SwapArea

_KIB = 1024
_LINE = re.compile(r"^(?:Node \d+ )?([^:\s]+):\s+(\d+)( kB)?$", re.MULTILINE)
_OCTAL = re.compile(r"\\([0-7]{3})")


def parse_meminfo(text: str) -> dict[str, int]:
    """/proc/meminfo and nodeN/meminfo: amounts in bytes, counts (HugePages_*) as they are."""
    return {name: int(number) * (_KIB if kilo else 1) for name, number, kilo in _LINE.findall(text)}


def parse_vmstat(text: str) -> dict[str, int]:
    """/proc/vmstat and ksm_stat: "name number" lines; what is no number is left out."""
    found = {}
    for line in text.splitlines():
        name, _, number = line.partition(" ")
        if number.removeprefix("-").isdecimal():
            found[name] = int(number)
    return found


def parse_pressure(text: str) -> Pressure | None:
    """/proc/pressure/memory; None if it is not understood."""
    lines = {}
    for line in text.splitlines():
        kind, *pairs = line.split()
        lines[kind] = dict(pair.split("=", 1) for pair in pairs if "=" in pair)
    try:
        some, full = lines["some"], lines["full"]
        return Pressure(
            some_avg10=float(some["avg10"]),
            some_avg60=float(some["avg60"]),
            some_avg300=float(some["avg300"]),
            full_avg10=float(full["avg10"]),
            full_avg60=float(full["avg60"]),
            full_avg300=float(full["avg300"]),
        )
    except (KeyError, ValueError):
        return None


def parse_swaps(text: str) -> tuple[SwapArea, ...]:
    """/proc/swaps: sizes in KiB; blanks in a path are octal escapes (mm/swapfile.c, swap_show)."""
    areas = []
    for line in text.splitlines()[1:]:
        words = line.split()
        if len(words) >= 4 and words[2].isdecimal() and words[3].isdecimal():
            path = _OCTAL.sub(lambda found: chr(int(found[1], 8)), words[0])
            size, used = int(words[2]) * _KIB, int(words[3]) * _KIB
            zram = path.startswith("/dev/zram")
            areas.append(SwapArea(path=path, size=size, used=used, compressed=zram))
    return tuple(areas)


def parse_list(text: str) -> frozenset[int]:
    """A list as the kernel and libvirt write it: "0-3,8", with "^2" for what is taken out again."""
    found: set[int] = set()
    for part in text.strip().split(","):
        first, dash, last = part.strip().removeprefix("^").partition("-")
        if not first.isdecimal() or (dash and not last.isdecimal()):
            continue
        span = range(int(first), int(last if dash else first) + 1)
        if part.strip().startswith("^"):
            found.difference_update(span)
        else:
            found.update(span)
    return frozenset(found)


def default_pool(figures: dict[str, int]) -> HugePool | None:
    """The huge pages of the default size, as meminfo has them."""
    total, size = figures.get("HugePages_Total"), figures.get("Hugepagesize")
    if not total or not size:
        return None
    return HugePool(page_bytes=size, total=total, free=figures.get("HugePages_Free"))
