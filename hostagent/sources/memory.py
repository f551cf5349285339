"""The host's memory from /proc and /sys/kernel/mm, and the counters of earlier looks beside it."""

from __future__ import annotations

import os
import time
from collections import deque
from dataclasses import replace
from typing import TYPE_CHECKING

from hostagent.model.host import Trouble
from hostagent.model.memory import Counters, HostMemory
from hostagent.sources import memory_text
from hostagent.sources.deadline import ReadError
from hostagent.sources.ksm import read_ksm
from hostagent.sources.numa import read_nodes, read_pools
from hostagent.sources.textfile import read_text

if TYPE_CHECKING:
    from hostagent.model.memory import HugePool

_KEPT_SECONDS = 900.0  # as long as an OOM kill is news
_SPACING_SECONDS = 20.0
_MOMENT_SECONDS = 0.5


class MemoryReader:
    """Reads the host's memory again and again, and remembers the counters of the last quarter of an hour."""

    def __init__(self, proc_dir: str = "/proc", sys_dir: str = "/sys") -> None:
        self._proc = proc_dir
        self._sys = sys_dir
        self._past: deque[Counters] = deque()

    def read(self, now: float | None = None) -> HostMemory:
        """All of it; ``now`` is seconds since the epoch.

        The first look of a process has no earlier counters. Where pages have ever come in from a swap that
        is in use, it waits half a second to tell whether they do now.

        Raises:
            ReadError: /proc/meminfo can't be read. What else is missing is None in the record.
        """
        found = read_memory(self._proc, self._sys, time.time() if now is None else now)
        in_use = any(area.used for area in found[1].swaps)
        if not self._past and in_use and found[0].swapped_in:
            self._past.append(found[0])
            time.sleep(_MOMENT_SECONDS)
            found = read_memory(self._proc, self._sys, found[0].at + _MOMENT_SECONDS)
        counters, memory = found
        while self._past and self._past[0].at < counters.at - _KEPT_SECONDS:
            self._past.popleft()
        past = tuple(self._past)
        if not past or counters.at - past[-1].at >= _SPACING_SECONDS:
            self._past.append(counters)
        return replace(memory, past=past)


def read_memory(proc_dir: str, sys_dir: str, now: float) -> tuple[Counters, HostMemory]:
    """One look, without a past.

    Raises:
        ReadError: /proc/meminfo can't be read.
    """
    path = f"{proc_dir}/meminfo"
    text = read_text(path)
    figures = memory_text.parse_meminfo(text or "")
    total = figures.get("MemTotal")
    if total is None:
        reason = "there is none" if text is None else "it has no MemTotal"
        raise ReadError(Trouble.INVALID, f"{path} can't be read: {reason} (check sources.proc_dir)")
    counters = _counters(f"{proc_dir}/vmstat", now)
    swaps = read_text(f"{proc_dir}/swaps")
    pressure = read_text(f"{proc_dir}/pressure/memory")
    online = read_text(f"{sys_dir}/devices/system/cpu/online")
    return counters, HostMemory(
        page_bytes=os.sysconf("SC_PAGE_SIZE"),
        total=total,
        available=figures.get("MemAvailable"),
        free=figures.get("MemFree"),
        counters=counters,
        pressure=None if pressure is None else memory_text.parse_pressure(pressure),
        ksm=read_ksm(f"{sys_dir}/kernel/mm/ksm"),
        pools=read_pools(f"{sys_dir}/kernel/mm/hugepages") or _default_pool(figures),
        nodes=read_nodes(f"{sys_dir}/devices/system/node"),
        swaps=() if swaps is None else memory_text.parse_swaps(swaps),
        threads=None if online is None else len(memory_text.parse_list(online)) or None,
    )


def _counters(path: str, now: float) -> Counters:
    numbers = memory_text.parse_vmstat(read_text(path) or "")
    return Counters(
        at=now,
        swapped_in=numbers.get("pswpin"),
        swapped_out=numbers.get("pswpout"),
        oom_kills=numbers.get("oom_kill"),
        merged_written=numbers.get("cow_ksm"),
    )


def _default_pool(figures: dict[str, int]) -> tuple[HugePool, ...]:
    """The pool of the default size, which /proc/meminfo has where sysfs is not mounted."""
    pool = memory_text.default_pool(figures)
    return () if pool is None else (pool,)
