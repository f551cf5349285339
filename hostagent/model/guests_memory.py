"""The running guests' memory: what their XML promises, what libvirt and the kernel say they use. Bytes."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


class Backing(StrEnum):
    """What a guest's memory is made of, by what can be had back from it."""

    ELASTIC = "elastic"  # private anonymous pages: merged, ballooned and swapped
    FIXED = "fixed"  # pinned, locked or shared: never merged, and what is pinned or locked never swapped
    HUGE = "huge"  # from the pool of huge pages, which is set aside whether a guest runs or not


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """What the XML of a running guest says.

    ``maximum`` is ``<memory>``, ``current`` ``<currentMemory>``, ``ceiling`` ``<maxMemory>`` (what hotplug
    may reach). ``why`` are the words for a backing other than elastic. ``bound`` maps a NUMA node to the
    bytes that are bound to it alone and strictly.
    """

    maximum: int
    current: int
    ceiling: int | None = None
    vcpus: int
    iothreads: int = 0
    video: bool = True
    tpm: bool = False
    vfio: bool = False
    backing: Backing = Backing.ELASTIC
    why: tuple[str, ...] = ()
    bound: Mapping[int, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Balloon:
    """libvirt's balloon statistics. ``current`` is QEMU's own figure and always fresh.

    The rest is what the guest's driver last said, at ``said_at`` seconds since the epoch; it is None where
    that is too long ago, or never was (the reader sees to it).
    """

    current: int
    said_at: float | None = None
    available: int | None = None  # all that the guest sees
    unused: int | None = None
    usable: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """A guest's QEMU, from /proc/PID/status, ksm_stat and ksm_merging_pages.

    ``anonymous``, ``file``, ``shared`` and ``swapped`` are of its own page tables' view: merged pages count
    in full. ``huge`` is hugetlb memory, which the others do not contain.
    """

    pid: int
    anonymous: int
    file: int
    shared: int
    swapped: int
    tables: int  # VmPTE
    locked: int = 0
    huge: int = 0
    merging_pages: int | None = None  # since 5.19
    rmap_items: int | None = None  # since 6.1
    zero_pages: int | None = None  # since 6.6
    profit: int | None = None  # since 6.4, signed

    @property
    def resident(self) -> int:
        """VmRSS, and huge pages."""
        return self.anonymous + self.file + self.shared + self.huge


@dataclass(frozen=True, slots=True, kw_only=True)
class GuestMemory:
    """One running guest. ``balloon`` and ``process`` are None where they could not be read."""

    uuid: str
    name: str
    promise: Promise
    balloon: Balloon | None = None
    process: Process | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GuestsMemory:
    """Every domain with a process, by UUID."""

    by_uuid: Mapping[str, GuestMemory]

    def all(self) -> tuple[GuestMemory, ...]:
        """In the order of their UUIDs."""
        return tuple(guest for _, guest in sorted(self.by_uuid.items()))
