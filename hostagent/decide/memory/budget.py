"""The budget: MEMORY's definitions, computed from one look and what earlier looks observed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hostagent.decide.memory import committed, ksm
from hostagent.decide.memory.history import History, others_of
from hostagent.model.budget import Budget
from hostagent.model.guests_memory import Backing

if TYPE_CHECKING:
    from hostagent.config import Memory
    from hostagent.model.budget import Share
    from hostagent.model.guests_memory import GuestsMemory
    from hostagent.model.memory import HostMemory

_MIB = 1 << 20


def measure(
    memory: HostMemory, guests: GuestsMemory | None, limits: Memory, history: History | None = None
) -> Budget:
    """Every figure. Without ``guests`` (they could not be read) what depends on them is None.

    ``history`` has this look in it (history.remember); without one nothing was observed.
    """
    history = History() if history is None else history
    reserved = max(limits.reserved_mib * _MIB, history.reserved())
    capacity = memory.total - reserved - memory.huge
    every = None if guests is None else committed.shares(guests, memory, history)
    sums = None if every is None else committed.committed(every)
    worst = None
    if sums is not None:
        worst = sums.elastic + sums.fixed + reserved + memory.huge + ksm.metadata(memory)
    saved = ksm.saved(memory)
    unmerge = None if memory.available is None or saved is None else memory.available - saved
    vcpus = None if every is None else sum(share.vcpus for share in every)
    return Budget(
        total=memory.total,
        available=memory.available,
        huge=memory.huge,
        others=others_of(memory, guests),
        reserved=reserved,
        capacity=capacity,
        limit=limits.ratio,
        guests=every,
        elastic=None if sums is None else sums.elastic,
        fixed=None if sums is None else sums.fixed,
        needed=None if sums is None else sums.needed(limits.ratio),
        ratio=None if sums is None else _over(sums.elastic + sums.fixed, capacity),
        balloon_ratio=_over(_ballooned(every), capacity),
        resident_ratio=_over(_resident(guests), capacity),
        ksm=ksm.balance(memory, guests),
        saved=saved,
        unmerge=unmerge,
        unmerge_with_swap=None if unmerge is None else unmerge + memory.disk_swap_free,
        worst=worst,
        shortfall=None if worst is None else worst - memory.total - memory.disk_swap,
        sustainable=_sustainable(saved, every),
        nodes=()
        if guests is None or every is None
        else committed.nodes(memory, guests, every, reserved=reserved, limit=limits.ratio),
        vcpus=vcpus,
        threads=memory.threads,
        cpu_ratio=None if vcpus is None or not memory.threads else vcpus / memory.threads,
        cpu_limit=limits.cpu_ratio,
    )


def _over(part: int | None, whole: int) -> float | None:
    return None if part is None or whole <= 0 else part / whole


def _ballooned(every: tuple[Share, ...] | None) -> int | None:
    """What the guests have by their balloons, with the overheads; None if one balloon is unknown."""
    sum_ = 0
    for share in () if every is None else every:
        if share.balloon is None:
            return None
        sum_ += share.overhead + (0 if share.backing is Backing.HUGE else share.balloon)
    return None if every is None else sum_


def _resident(guests: GuestsMemory | None) -> int | None:
    """What the guests' processes hold outside the huge pages, merged pages in full."""
    sum_ = 0
    for guest in () if guests is None else guests.all():
        if guest.process is None:
            return None
        sum_ += guest.process.anonymous + guest.process.shared
    return None if guests is None else sum_


def _sustainable(saved: int | None, every: tuple[Share, ...] | None) -> float | None:
    """The ratio that KSM would hold if every guest touched all of its memory; 1/64 is its own metadata."""
    elastic = sum(share.maximum for share in every or () if share.backing is Backing.ELASTIC)
    if saved is None or not elastic:
        return None
    left = 1 - saved / elastic + 1 / 64
    return 1 / left if left > 0 else None
