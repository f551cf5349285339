"""Whether a guest may start here: MEMORY's four conditions, and who is never refused.

What is unknown stops nobody: a guest that can't start because hostagent can't read a file is an outage.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from hostagent.config import Admit
from hostagent.decide.memory.committed import Committed, charge
from hostagent.decide.memory.overhead import expected
from hostagent.decide.memory.reservations import Reservation, pending
from hostagent.decide.memory.state import LEVELS
from hostagent.decide.memory.words import size
from hostagent.model.budget import Level
from hostagent.model.guests_memory import Backing

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hostagent.config import Memory
    from hostagent.model.budget import Budget
    from hostagent.model.guests_memory import Promise

RECENT_SECONDS = 900.0
_KEPT_AVAILABLE = 10  # percent of MemTotal


class Figure(StrEnum):
    """What stops a start."""

    NOTHING = ""
    BUDGET = "budget"
    NODE = "budget of the NUMA node"
    AVAILABLE = "available memory"
    STATE = "state of the memory"
    UNMERGE = "unmerge headroom"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A start, an incoming migration, a hotplug or a deflated balloon.

    ``charge`` is all that it may come to take; ``ran_at`` is when a domain of this UUID last ran here,
    seconds since the epoch.
    """

    uuid: str
    name: str
    charge: int
    elastic: bool
    node: int | None = None
    ran_at: float | None = None

    def reserve(self, now: float) -> Reservation:
        """What is held for it once it is admitted."""
        return Reservation(
            uuid=self.uuid,
            name=self.name,
            charge=self.charge,
            elastic=self.elastic,
            node=self.node,
            made_at=now,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Admission:
    """The answer. ``figure`` is what stops it, also where it is allowed nevertheless; ``warning`` is said."""

    allowed: bool
    reason: str
    figure: Figure = Figure.NOTHING
    warning: str = ""


def request_of(
    promise: Promise, *, uuid: str = "", name: str = "a new guest", ran_at: float | None = None
) -> Request:
    """The request that starting such a guest makes."""
    node = next(iter(promise.bound)) if len(promise.bound) == 1 else None
    return Request(
        uuid=uuid,
        name=name,
        charge=charge(promise, expected(promise)),
        elastic=promise.backing is Backing.ELASTIC,
        node=node if node is not None and promise.bound[node] >= promise.maximum else None,
        ran_at=ran_at,
    )


def admit(
    budget: Budget,
    request: Request,
    reservations: Iterable[Reservation],
    policy: Memory,
    now: float,
    *,
    level: Level,
) -> Admission:
    """The answer to one request; ``reservations`` are all that hold now, without its own."""
    held = [each for each in reservations if each.uuid != request.uuid or not request.uuid]
    figure, words = _stopped(budget, request, held, level)
    warning = _unmerge(budget, request, held)
    if figure is Figure.NOTHING and warning and policy.unmerge is Admit.ENFORCE:
        figure, words, warning = Figure.UNMERGE, warning, ""
    if figure is Figure.NOTHING:
        return Admission(allowed=True, reason="it fits", warning=warning)
    if request.ran_at is not None and now - request.ran_at <= RECENT_SECONDS:
        minutes = RECENT_SECONDS / 60
        reason = f"it ran here in the last {minutes:.0f} minutes, though {words}"
        return Admission(allowed=True, reason=reason, figure=figure, warning=warning)
    if policy.policy is Admit.OBSERVE:
        reason = f"policy observe, though {words}"
        return Admission(allowed=True, reason=reason, figure=figure, warning=warning)
    return Admission(allowed=False, reason=words, figure=figure, warning=warning)


def _stopped(budget: Budget, request: Request, held: list[Reservation], level: Level) -> tuple[Figure, str]:
    counted = {share.uuid: share for share in budget.guests or ()}
    sums = pending(held, counted)
    own = 0 if request.uuid in counted else request.charge
    if budget.elastic is not None and budget.fixed is not None:
        needed = Committed(
            elastic=budget.elastic + sums.elastic + (own if request.elastic else 0),
            fixed=budget.fixed + sums.fixed + (0 if request.elastic else own),
        ).needed(budget.limit)
        if needed > budget.capacity:
            starting = sum(1 for each in held if each.uuid)
            others = f" and {starting} that {'is' if starting == 1 else 'are'} starting" if starting else ""
            words = f"the budget of {size(budget.capacity)} would need {size(needed)} with it{others}"
            return Figure.BUDGET, words
    for node in budget.nodes:
        if node.number == request.node:
            on_node = pending(held, counted, node.number)
            needed = Committed(
                elastic=node.elastic + on_node.elastic + (own if request.elastic else 0),
                fixed=node.fixed + on_node.fixed + (0 if request.elastic else own),
            ).needed(budget.limit)
            if needed > node.capacity:
                return (
                    Figure.NODE,
                    f"NUMA node {node.number} of {size(node.capacity)} would need {size(needed)}",
                )
    if budget.available is not None:
        left = budget.available - sums.available - request.charge
        kept = budget.total * _KEPT_AVAILABLE // 100
        if left < kept:
            return Figure.AVAILABLE, f"{size(left)} would be available, less than {size(kept)} (10 %)"
    if LEVELS.index(level) >= LEVELS.index(Level.SOFT):
        return Figure.STATE, f"it is {level}"
    return Figure.NOTHING, ""


def _unmerge(budget: Budget, request: Request, held: list[Reservation]) -> str:
    """Why what KSM has merged could not all be written after the start, or ""."""
    if budget.unmerge_with_swap is None:
        return ""
    left = budget.unmerge_with_swap - sum(each.pending for each in held) - request.charge
    return "" if left >= 0 else f"{size(-left)} would be missing if every merged page were written"
