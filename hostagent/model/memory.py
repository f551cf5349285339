"""The host's memory as the kernel states it. Bytes, unless a name says otherwise.

None is a figure that this kernel does not give, or that could not be read. It is never to be taken for 0.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Pressure:
    """/proc/pressure/memory, in percent of the time (Documentation/accounting/psi.rst)."""

    some_avg10: float
    some_avg60: float
    some_avg300: float
    full_avg10: float
    full_avg60: float
    full_avg300: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Counters:
    """/proc/vmstat's totals since boot, at ``at`` seconds since the epoch; the swap counters are in pages."""

    at: float
    swapped_in: int | None = None
    swapped_out: int | None = None
    oom_kills: int | None = None
    merged_written: int | None = None  # cow_ksm: merged pages that a write made private again


@dataclass(frozen=True, slots=True, kw_only=True)
class Ksm:
    """/sys/kernel/mm/ksm. ``run`` is 0 stopped, 1 running, 2 unmerging; counters are in pages.

    ``sharing`` counts the places that use another's page, ``shared`` the pages that are used so.
    ``general_profit`` is in bytes and signed. ``advisor`` is the mode in force, "none" or "scan-time";
    while it is not none, ``pages_to_scan`` is its answer and can't be written.
    """

    run: int
    shared: int
    sharing: int
    unshared: int
    volatile: int
    full_scans: int
    pages_to_scan: int
    sleep_milliseconds: int
    merge_across_nodes: bool | None = None
    use_zero_pages: bool | None = None
    zero_pages: int | None = None  # since 6.6
    scanned: int | None = None  # since 6.6
    skipped: int | None = None  # since 6.7
    smart_scan: bool | None = None  # since 6.7
    general_profit: int | None = None  # since 6.4
    advisor: str | None = None  # since 6.8
    advisor_target_seconds: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HugePool:
    """The huge pages of one size. ``total`` has the surplus in it."""

    page_bytes: int
    total: int
    free: int | None = None

    @property
    def bytes(self) -> int:
        """What the pool takes away from everything else."""
        return self.page_bytes * self.total


@dataclass(frozen=True, slots=True, kw_only=True)
class NumaNode:
    """/sys/devices/system/node/nodeN."""

    number: int
    total: int
    free: int | None = None
    pools: tuple[HugePool, ...] = ()

    @property
    def huge(self) -> int:
        """Bytes in huge pages of this node."""
        return sum(pool.bytes for pool in self.pools)


@dataclass(frozen=True, slots=True, kw_only=True)
class SwapArea:
    """One line of /proc/swaps. ``compressed``: it is zram, which is memory and no room beside it."""

    path: str
    size: int
    used: int
    compressed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class HostMemory:
    """All of it. ``threads`` are the CPUs online.

    ``ksm`` is None on a kernel that has none. ``past`` are the counters of earlier looks, oldest first, of
    the last quarter of an hour; empty in the first look of a process.
    """

    page_bytes: int
    total: int
    available: int | None
    free: int | None = None
    counters: Counters
    past: tuple[Counters, ...] = ()
    pressure: Pressure | None = None
    ksm: Ksm | None = None
    pools: tuple[HugePool, ...] = ()
    nodes: tuple[NumaNode, ...] = ()
    swaps: tuple[SwapArea, ...] = ()
    threads: int | None = None

    @property
    def huge(self) -> int:
        """Bytes in huge pages of all sizes."""
        return sum(pool.bytes for pool in self.pools)

    @property
    def disk_swap(self) -> int:
        """Bytes of swap on disks."""
        return sum(area.size for area in self.swaps if not area.compressed)

    @property
    def disk_swap_free(self) -> int:
        """Bytes of it that nothing uses."""
        return sum(area.size - area.used for area in self.swaps if not area.compressed)
