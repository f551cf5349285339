"""What the pacer's thread is told by others: libvirt's events, samples, what became of its orders."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hostagent.model.boot import DiskStats
    from hostagent.model.boot_guests import Figures
    from hostagent.model.dhcp import Lease


class Order(StrEnum):
    """What the pacer has others do to a guest."""

    START = "start"
    RESUME = "resume"
    SLOW = "slow"
    UNSLOW = "unslow"


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """libvirt's word that something happened to a domain; without a UUID: to the connection."""

    uuid: str
    event: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampled:
    """One read of all counters. ``figures`` is None where libvirt did not answer."""

    figures: Figures | None
    disks: Mapping[str, DiskStats]
    full_avg10: float | None
    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Did:
    """What became of an order: ``error`` says why it failed, or is "", ``done`` whether anything was done."""

    order: Order
    uuid: str
    id: int | None
    done: bool = False
    error: str = ""
    disks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Handed:
    """The leases that the loop has seen."""

    leases: Sequence[Lease]


@dataclass(slots=True, kw_only=True, eq=False)
class Asked:
    """A person's request, answered in place."""

    request: Mapping[str, Any]
    by: str
    answered: threading.Event = field(default_factory=threading.Event)
    answer: Mapping[str, Any] | None = None
    error: str = ""


Message = Told | Sampled | Did | Handed | Asked
