"""KSM's account: what it saves, what that costs, and how long a pass takes. It is never capacity."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hostagent.model.budget import KsmBalance
from hostagent.model.guests_memory import Backing

if TYPE_CHECKING:
    from hostagent.model.guests_memory import GuestMemory, GuestsMemory
    from hostagent.model.memory import HostMemory, Ksm

_ITEM = 64  # sizeof(struct ksm_rmap_item), mm/ksm.c


def saved(memory: HostMemory) -> int | None:
    """S. None on a kernel before 6.6 that merges with the zero page, for it does not count these."""
    ksm = memory.ksm
    if ksm is None:
        return 0
    zero_pages = ksm.zero_pages
    if zero_pages is None:
        if ksm.use_zero_pages:
            return None
        zero_pages = 0
    return (ksm.sharing + zero_pages) * memory.page_bytes


def metadata(memory: HostMemory) -> int:
    """K: one item for each page that was looked at; "volatile" is all that is in no other counter."""
    return 0 if memory.ksm is None else _ITEM * _items(memory.ksm)


def balance(memory: HostMemory, guests: GuestsMemory | None) -> KsmBalance | None:
    """The whole account, None on a kernel without KSM."""
    ksm = memory.ksm
    if ksm is None:
        return None
    gain, cost, can_merge = saved(memory), metadata(memory), mergeable(guests)
    profit = ksm.general_profit
    if profit is None and gain is not None:
        profit = gain - cost
    return KsmBalance(
        run=ksm.run,
        saved=gain,
        metadata=cost,
        profit=profit,
        mergeable=can_merge,
        scan_seconds=_scan_seconds(ksm, (can_merge or 0) // memory.page_bytes),
        advisor=ksm.advisor,
    )


def mergeable(guests: GuestsMemory | None) -> int | None:
    """What elastic guests have in memory now; None if one of them was not read."""
    if guests is None:
        return None
    processes = [each.process for each in guests.all() if each.promise.backing is Backing.ELASTIC]
    known = [process.anonymous for process in processes if process is not None]
    return sum(known) if len(known) == len(processes) else None


def part_of(guest: GuestMemory, memory: HostMemory) -> int | None:
    """What of S is this guest's.

    A process counts each place where it uses a merged page; of these ``shared`` are the pages that are kept.
    """
    ksm, process = memory.ksm, guest.process
    if ksm is None or saved(memory) == 0:
        return 0
    if process is None or process.merging_pages is None:
        return None
    if process.zero_pages is None and ksm.use_zero_pages:
        return None
    places = ksm.shared + ksm.sharing
    pages = process.merging_pages * ksm.sharing / places if places else 0.0
    return round((pages + (process.zero_pages or 0)) * memory.page_bytes)


def _items(ksm: Ksm) -> int:
    return ksm.shared + ksm.sharing + ksm.unshared + ksm.volatile


def _scan_seconds(ksm: Ksm, pages: int) -> float | None:
    """A pass over the pages that guests have or KSM knows, by its pace without what the looking costs."""
    if ksm.run != 1 or not ksm.pages_to_scan:
        return None
    return max(pages, _items(ksm)) / ksm.pages_to_scan * ksm.sleep_milliseconds / 1000
