"""A domain's XML → what pacing wants of it. Pure.

Format: libvirt's formatdomain. What is broken in it is as if it were missing: a domain must be seen.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hostagent.sources.domain_tree import parse_tree

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hostagent.model.boot_wish import BootWish
    from hostagent.model.guests import Manager
    from hostagent.sources.domain_tree import Element

_WANTED = frozenset({"memory", "devices/disk", "devices/interface", "devices/channel"})
_AGENT = "org.qemu.guest_agent.0"
_KIB = 1024
_LAST = 1 << 31  # a disk without a place in the boot order
# Of these a name of a source has a server's share first: pool/image, volume/image.
_SHARED = frozenset({"rbd", "gluster"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Disk:
    """Where a disk's content is: the path of a ``file`` or a ``block`` device, or a ``far`` place.

    All three are "" for a guest without a disk, or with one that nothing is known of.
    """

    file: str = ""
    block: str = ""
    far: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BootXml:
    """``disk`` is what it boots from. ``memory`` is its maximum in bytes, 0 if it says none."""

    live: bool
    id: int | None
    managers: frozenset[Manager]
    wish: BootWish
    disk: Disk
    agent: bool
    macs: tuple[str, ...]
    memory: int


def parse_boot(text: str, name: str = "") -> BootXml:
    """Parse a domain's XML as virDomainGetXMLDesc returns it.

    Raises:
        DomainXmlError: it is not well-formed, or not a domain's.
    """
    tree = parse_tree(text, name, _WANTED)
    macs = (each.get("mac", "address") for each in tree.all("devices/interface"))
    channels = [each.get("target", "state") for each in tree.all("devices/channel") if _is_agent(each)]
    return BootXml(
        live=tree.live,
        id=tree.id,
        managers=tree.managers,
        wish=tree.wish,
        disk=_first_disk(tree.all("devices/disk")),
        agent="connected" in channels,
        macs=tuple(mac.lower() for mac in macs if mac),
        memory=_memory(tree.all("memory")),
    )


def _is_agent(channel: Element) -> bool:
    return channel.get("target", "name") == _AGENT


def _first_disk(found: Sequence[Element]) -> Disk:
    """The first disk in the guest's boot order; where it has none, the first one there is."""
    disks = [each for each in found if (each.get("", "device") or "disk") == "disk"]
    return _disk(min(disks, key=_order)) if disks else Disk()


def _order(disk: Element) -> int:
    order = disk.get("boot", "order") or ""
    return int(order) if order.isascii() and order.isdigit() and len(order) < 9 else _LAST


def _disk(disk: Element) -> Disk:
    kind = disk.get("", "type")
    if kind == "file":
        return Disk(file=disk.get("source", "file") or "")
    if kind == "block":
        return Disk(block=disk.get("source", "dev") or "")
    if kind == "volume":
        return Disk(far=_far("volume", disk.get("source", "pool")))
    if kind == "network":
        protocol = disk.get("source", "protocol") or "network"
        share = (disk.get("source", "name") or "").partition("/")[0] if protocol in _SHARED else ""
        host = disk.get("source/host", "name") or disk.get("source/host", "socket")
        return Disk(far=_far(protocol, share or host))
    return Disk()


def _far(kind: str, place: str | None) -> str:
    return f"{kind}:{place}" if place else ""


def _memory(found: Sequence[Element]) -> int:
    for each in found:
        if each.attributes.get("unit", "KiB") == "KiB" and each.text.isascii() and each.text.isdigit():
            return int(each.text) * _KIB  # KiB is what libvirt itself writes
    return 0
