"""What a look says of the memory, put together once for all who ask: checks, command line, metrics."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from hostagent.decide.memory import ksm
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
    """One look. ``guests`` is None where they could not be read; ``history`` has this look in it.

    ``state`` is MEMORY's; ``pressed`` is the same of what is short now alone, whatever was promised.
    """

    memory: HostMemory
    guests: GuestsMemory | None
    budget: Budget
    state: MemoryState
    pressed: MemoryState
    history: History
    limits: Memory


def view(
    memory: HostMemory | Unavailable,
    guests: GuestsMemory | Unavailable,
    limits: Memory,
    *,
    before: MemoryView | None = None,
) -> MemoryView | Unavailable:
    """The view of a Snapshot's two sections, after the one of the look ``before``.

    Unavailable is the memory section itself, without which nothing can be said.
    """
    if isinstance(memory, Unavailable):
        return memory
    known = None if isinstance(guests, Unavailable) else guests
    history = remember(History() if before is None else before.history, memory, known)
    budget = measure(memory, known, limits, history)
    sample = sample_of(memory, budget)
    state, pressed = (None, None) if before is None else (before.state, before.pressed)
    return MemoryView(
        memory=memory,
        guests=known,
        budget=budget,
        state=advance(state, sample, limits.calm_seconds),
        pressed=advance(pressed, sample.now(), limits.calm_seconds),
        history=history,
        limits=limits,
    )


def felt(seen: MemoryView, memory: HostMemory) -> MemoryView:
    """The view a moment later, of which only the host's own figures are new: what costs next to nothing."""
    saved, available = ksm.saved(memory), memory.available
    unmerge = None if saved is None or available is None else available - saved
    budget = replace(seen.budget, available=available, saved=saved, unmerge=unmerge)
    sample, calm = sample_of(memory, budget), seen.limits.calm_seconds
    return replace(
        seen,
        memory=memory,
        budget=budget,
        state=advance(seen.state, sample, calm),
        pressed=advance(seen.pressed, sample.now(), calm),
    )
