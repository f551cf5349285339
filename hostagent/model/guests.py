"""Domains and their network interfaces, as libvirt's XML states them."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from hostagent.model.boot_wish import BootWish

if TYPE_CHECKING:
    from collections.abc import Mapping


class Manager(StrEnum):
    """Who runs a domain, by the metadata it left in the XML; SITE is one that only the settings tell of."""

    NOVA = "nova"
    OVIRT = "oVirt"
    OPENNEBULA = "OpenNebula"
    SITE = "another manager (boot.managed)"


class DomainState(StrEnum):
    """libvirt's virDomainState (include/libvirt/libvirt-domain.h)."""

    NOSTATE = "nostate"
    RUNNING = "running"
    BLOCKED = "blocked"
    PAUSED = "paused"
    SHUTDOWN = "shutdown"
    SHUTOFF = "shutoff"
    CRASHED = "crashed"
    PMSUSPENDED = "pmsuspended"


@dataclass(frozen=True, slots=True, kw_only=True)
class GuestVlan:
    """``<vlan>``: tags in the order of the XML; ``native`` is (tag, "tagged" | "untagged") or None."""

    tags: tuple[int, ...]
    trunk: bool = False
    native: tuple[int, str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """One direction of ``<bandwidth>``, in libvirt's units: KiB/s for average and peak, KiB for burst."""

    average: int
    peak: int = 0
    burst: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Bandwidth:
    """``<bandwidth>``, from the guest's point of view: inbound is towards the guest."""

    inbound: Rate | None = None
    outbound: Rate | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GuestInterface:
    """One ``<interface>``.

    ``kind`` is its type attribute (bridge, network, ethernet, vhostuser, direct, hostdev, …); ``tap`` is
    ``<target dev>`` (in persistent XML only names given by a person or manager appear); ``bridge`` is the
    resolved bridge, also for networks, or None where the XML does not say; ``ovs`` says that it has
    ``<virtualport type='openvswitch'>``. ``mac`` is lower case.
    """

    kind: str
    mac: str
    tap: str | None = None
    bridge: str | None = None
    ovs: bool = False
    interface_id: str | None = None
    vlan: GuestVlan | None = None
    bandwidth: Bandwidth = field(default_factory=Bandwidth)
    link_up: bool = True
    mtu: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Domain:
    """A domain. ``live`` is True from STARTING_UP to the end; then ``interfaces`` are the live XML's.

    ``reason`` is libvirt's state reason in its own lower-case word (e.g. "booted", "migration", "postcopy",
    "starting up", "failed"; "" if unknown). ``job`` is "" or what the active job is, or "unknown" when
    libvirt did not say in time. ``persistent_interfaces`` are the persistent XML's (empty for transient
    domains), needed to know which tap names a shut-off or redefined guest owns. ``autostart`` is libvirt's
    flag; ``wish`` is what is wished for its next boot.
    """

    uuid: str
    name: str
    state: DomainState
    reason: str = ""
    live: bool
    persistent: bool = True
    job: str = ""
    managers: frozenset[Manager] = frozenset()
    interfaces: tuple[GuestInterface, ...] = ()
    persistent_interfaces: tuple[GuestInterface, ...] = ()
    autostart: bool = False
    wish: BootWish = field(default_factory=BootWish)

    @property
    def busy(self) -> str:
        """Why nothing may be changed under this domain now, or "" (ARCHITECTURE, safe repair 8)."""
        if self.job:
            return f"domain {self.name} has an active job ({self.job})"
        if self.state is DomainState.PAUSED and self.reason in {
            "migration",
            "postcopy",
            "postcopy failed",
            "starting up",
        }:
            return f"domain {self.name} is paused for {self.reason}"
        return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Domains:
    """All domains libvirt knows, by UUID. ``hypervisor`` names the driver's URI."""

    by_uuid: Mapping[str, Domain]
    hypervisor: str = "qemu:///system"

    def live(self) -> tuple[Domain, ...]:
        """The domains with a process now, in the order of their UUIDs."""
        return tuple(d for _, d in sorted(self.by_uuid.items()) if d.live)
