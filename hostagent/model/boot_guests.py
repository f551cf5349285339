"""What pacing knows of a domain: the wishes in its metadata, where its disks are, how far it has come."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hostagent.model.boot import NODE_POOL, DiskClass
from hostagent.model.boot_wish import XML_KEY, XMLNS, BootWish

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hostagent.model.boot import DiskStats
    from hostagent.model.guests import DomainState, Manager

__all__ = ["XMLNS", "XML_KEY", "BootGuest", "BootWish", "Figures", "GuestFigures", "Pool"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool:
    """Storage whose latency is one: a disk of this node by its name in /proc/diskstats, or a far one's name.

    ``device`` is the name in /proc/diskstats, "" where only the guests' own statistics tell its latency.
    """

    name: str = NODE_POOL
    kind: DiskClass = DiskClass.OTHER
    device: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BootGuest:
    """One domain. ``id`` is libvirt's id of this run, None while it is shut off.

    ``state`` and ``reason`` are as in model.guests.Domain. ``agent``: its guest agent is connected.
    ``macs`` are of its interfaces, lower case. ``memory`` is its maximum in bytes.
    """

    uuid: str
    name: str
    id: int | None
    state: DomainState
    reason: str = ""
    persistent: bool = True
    autostart: bool = False
    wish: BootWish = field(default_factory=BootWish)
    managers: frozenset[Manager] = frozenset()
    pool: Pool = field(default_factory=Pool)
    agent: bool = False
    macs: tuple[str, ...] = ()
    memory: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class GuestFigures:
    """Counters of one running guest since it started; None where libvirt did not say in time.

    ``disks`` are by target name; ``vcpu_seconds`` is the sum over its ``vcpus``, which only grows while the
    guest runs; ``vcpu_waited_seconds`` is how long they wanted a processor of the node and had to wait.
    """

    disks: Mapping[str, DiskStats]
    vcpu_seconds: float | None = None
    vcpu_waited_seconds: float = 0.0
    vcpus: int = 1

    @property
    def requests(self) -> int:
        """Reads and writes of all disks."""
        return sum(each.requests for each in self.disks.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """All running guests' counters at one time (monotonic seconds), by UUID."""

    at: float
    by_uuid: Mapping[str, GuestFigures]
