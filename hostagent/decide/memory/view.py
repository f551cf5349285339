"""What a look says of the memory, put together once for all who ask: checks, command line, metrics."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hostagent.decide.memory.budget import measure
from hostagent.decide.memory.history import History, remember
from hostagent.decide.memory.state import MemoryState, advance, sample_of
from hostagent.model.host import Unavailable

if TYPE_CHECKING:
    from hostagent.config import Memory
    from hostagent.model.budget import Budget
    from hostagent.model.guests_memory import GuestsMemory
    from hostagent.model.memory import HostMemory


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryView:
    """One look. ``guests`` is None where they could not be read; ``history`` has this look in it."""

    memory: HostMemory
    guests: GuestsMemory | None
    budget: Budget
    state: MemoryState
    history: History
    limits: Memory


def view(
    memory: HostMemory | Unavailable,
    guests: GuestsMemory | Unavailable,
    limits: Memory,
    *,
    history: History | None = None,
    state: MemoryState | None = None,
) -> MemoryView | Unavailable:
    """The view of a Snapshot's two sections, after the looks that ``history`` and ``state`` come from.

    Unavailable is the memory section itself, without which nothing can be said.
    """
    if isinstance(memory, Unavailable):
        return memory
    known = None if isinstance(guests, Unavailable) else guests
    history = remember(history or History(), memory, known)
    budget = measure(memory, known, limits, history)
    return MemoryView(
        memory=memory,
        guests=known,
        budget=budget,
        state=advance(state, sample_of(memory, budget)),
        history=history,
        limits=limits,
    )
