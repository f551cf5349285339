"""What decide.memory makes of the host's memory and its guests'. Bytes; None is unknown, never 0."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hostagent.model.guests_memory import Backing


class Level(StrEnum):
    """How the host's memory is, from good to bad."""

    UNKNOWN = "unknown"  # nothing is known to be bad, and what is available is not known
    HIGH = "high"
    CLEAR = "clear"
    SOFT = "soft"
    HARD = "hard"
    LOW = "low"


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """One guest's part.

    ``charge`` is what the budget counts: maximum and overhead, or on huge pages the overhead alone.
    ``saved`` is its part of what KSM saves; all guests' and others' add up to the whole.
    """

    uuid: str
    name: str
    backing: Backing
    why: tuple[str, ...]
    maximum: int
    overhead: int
    observed_overhead: int | None
    charge: int
    vcpus: int
    node: int | None
    balloon: int | None
    resident: int | None
    swapped: int | None
    saved: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeBudget:
    """A NUMA node, with what is strictly bound to it."""

    number: int
    capacity: int
    elastic: int
    fixed: int
    needed: int

    @property
    def headroom(self) -> int:
        """What may still be needed there."""
        return self.capacity - self.needed


@dataclass(frozen=True, slots=True, kw_only=True)
class KsmBalance:
    """KSM's account.

    ``scan_seconds`` is how long one pass over all that can be merged takes, None while it does not run.
    ``mergeable`` is what guests hold in pages that could be merged at all.
    """

    run: int
    saved: int | None
    metadata: int
    profit: int | None
    mergeable: int | None
    scan_seconds: float | None
    advisor: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """MEMORY's definitions with this host's figures.

    ``others`` is what all that is no guest takes now; ``reserved`` is R, ``capacity`` B, ``elastic`` E,
    ``fixed`` X (with the overhead of guests on huge pages), ``needed`` is X + E/limit. ``ratio`` is
    promised, by the maximum; ``balloon_ratio`` and ``resident_ratio`` are its other bases. ``saved`` is S,
    ``unmerge`` U, ``unmerge_with_swap`` adds free swap on disks. ``worst`` is W; ``shortfall`` is what it
    lacks (negative: to spare). ``sustainable`` is the ratio that KSM would hold if guests touched all.
    """

    total: int
    available: int | None
    huge: int
    others: int | None
    reserved: int
    capacity: int
    limit: float
    guests: tuple[Share, ...] | None
    elastic: int | None
    fixed: int | None
    needed: int | None
    ratio: float | None
    balloon_ratio: float | None
    resident_ratio: float | None
    ksm: KsmBalance | None
    saved: int | None
    unmerge: int | None
    unmerge_with_swap: int | None
    worst: int | None
    shortfall: int | None
    sustainable: float | None
    nodes: tuple[NodeBudget, ...]
    vcpus: int | None
    threads: int | None
    cpu_ratio: float | None
    cpu_limit: float

    @property
    def headroom(self) -> int | None:
        """What may still be needed."""
        return None if self.needed is None else self.capacity - self.needed
