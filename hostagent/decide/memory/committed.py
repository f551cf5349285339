"""What is promised to the guests: each one's charge, by class and by NUMA node."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hostagent.decide.memory import ksm, overhead
from hostagent.model.budget import NodeBudget, Share
from hostagent.model.guests_memory import Backing

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hostagent.decide.memory.history import History
    from hostagent.model.guests_memory import GuestMemory, GuestsMemory, Promise
    from hostagent.model.memory import HostMemory


@dataclass(frozen=True, slots=True, kw_only=True)
class Committed:
    """E and X. The overhead of a guest on huge pages is in X: it is QEMU's own, and never merged."""

    elastic: int = 0
    fixed: int = 0

    def needed(self, limit: float) -> int:
        """X + E/limit, rounded up."""
        return self.fixed - int(-self.elastic / limit // 1)


def shares(guests: GuestsMemory, memory: HostMemory, history: History) -> tuple[Share, ...]:
    """Every guest's part, the largest first."""
    found = [_share(guest, memory, history) for guest in guests.all()]
    return tuple(sorted(found, key=lambda share: (-share.charge, share.name)))


def committed(every: Iterable[Share]) -> Committed:
    """The sums of E and X."""
    elastic = fixed = 0
    for share in every:
        if share.backing is Backing.ELASTIC:
            elastic += share.charge
        else:
            fixed += share.charge
    return Committed(elastic=elastic, fixed=fixed)


def charge(promise: Promise, extra: int) -> int:
    """What the budget counts for a guest whose overhead is ``extra``."""
    return extra if promise.backing is Backing.HUGE else promise.maximum + extra


def nodes(
    memory: HostMemory, guests: GuestsMemory, every: Iterable[Share], *, reserved: int, limit: float
) -> tuple[NodeBudget, ...]:
    """The NUMA nodes of a host that has several, each with a part of R by its size."""
    if len(memory.nodes) < 2:
        return ()
    by_uuid = {share.uuid: share for share in every}
    whole = sum(node.total for node in memory.nodes)
    found = []
    for node in memory.nodes:
        sums = {Backing.ELASTIC: 0, Backing.FIXED: 0, Backing.HUGE: 0}
        for guest in guests.all():
            sums[guest.promise.backing] += _on_node(guest, by_uuid[guest.uuid], node.number)
        here = Committed(elastic=sums[Backing.ELASTIC], fixed=sums[Backing.FIXED] + sums[Backing.HUGE])
        found.append(
            NodeBudget(
                number=node.number,
                capacity=node.total - node.huge - reserved * node.total // whole,
                elastic=here.elastic,
                fixed=here.fixed,
                needed=here.needed(limit),
            )
        )
    return tuple(found)


def _on_node(guest: GuestMemory, share: Share, node: int) -> int:
    """What is bound to the node; the overhead with it where nothing of the guest is elsewhere."""
    if node not in guest.promise.bound:
        return 0
    memory = 0 if share.backing is Backing.HUGE else guest.promise.bound[node]
    return memory + (share.overhead if share.node == node else 0)


def _share(guest: GuestMemory, memory: HostMemory, history: History) -> Share:
    promise, process = guest.promise, guest.process
    extra = overhead.expected(promise, history.overhead(guest.uuid))
    bound = promise.bound
    alone = len(bound) == 1 and sum(bound.values()) >= promise.maximum
    return Share(
        uuid=guest.uuid,
        name=guest.name,
        backing=promise.backing,
        why=promise.why,
        maximum=promise.maximum,
        overhead=extra,
        observed_overhead=overhead.observed(guest),
        charge=charge(promise, extra),
        vcpus=promise.vcpus,
        node=next(iter(bound)) if alone else None,
        balloon=None if guest.balloon is None else guest.balloon.current,
        resident=None if process is None else process.resident,
        swapped=None if process is None else process.swapped,
        saved=ksm.part_of(guest, memory),
    )
