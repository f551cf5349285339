"""What was observed look by look: how much all that is no guest took, and each guest's overhead."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hostagent.decide.memory import overhead

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hostagent.model.guests_memory import GuestsMemory
    from hostagent.model.memory import HostMemory

_MOST_OTHERS = 1440  # a day of looks a minute apart
_MOST_OVERHEADS = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """The samples, oldest first; the overheads by the guest's UUID."""

    others: tuple[int, ...] = ()
    overheads: Mapping[str, tuple[int, ...]] = field(default_factory=dict)

    def reserved(self) -> int:
        """The 99th percentile of what all that is no guest took; 0 before it was ever known."""
        return percentile(self.others, 0.99) or 0

    def overhead(self, uuid: str) -> int | None:
        """The 95th percentile of one guest's."""
        return percentile(self.overheads.get(uuid, ()), 0.95)


def remember(history: History, memory: HostMemory, guests: GuestsMemory | None) -> History:
    """The history with this look; guests that are gone leave it, unknown figures don't enter."""
    others = others_of(memory, guests)
    overheads: dict[str, tuple[int, ...]] = {}
    for guest in () if guests is None else guests.all():
        seen, now = history.overheads.get(guest.uuid, ()), overhead.observed(guest)
        overheads[guest.uuid] = seen if now is None else (*seen, now)[-_MOST_OVERHEADS:]
    return History(
        others=history.others if others is None else (*history.others, others)[-_MOST_OTHERS:],
        overheads=history.overheads if guests is None else overheads,
    )


def others_of(memory: HostMemory, guests: GuestsMemory | None) -> int | None:
    """What all that is no guest takes now: what is in use, less huge pages and less the guests' processes.

    A merged page is in every process's sum and once in memory; a zero page is in none.
    """
    processes = [] if guests is None else [guest.process for guest in guests.all()]
    known = [process for process in processes if process is not None]
    if guests is None or memory.available is None or len(known) < len(processes):
        return None
    theirs = sum(process.anonymous + process.shared + process.tables for process in known)
    merged = 0 if memory.ksm is None else memory.ksm.sharing * memory.page_bytes
    return max(0, memory.total - memory.available - memory.huge - max(0, theirs - merged))


def percentile(samples: Sequence[int], share: float) -> int | None:
    """The smallest sample that at least ``share`` of them do not exceed; None without any."""
    if not samples:
        return None
    rank = -int(-share * len(samples) // 1)  # the ceiling
    return sorted(samples)[max(rank, 1) - 1]
