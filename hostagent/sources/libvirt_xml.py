"""A domain's XML → its interfaces, managers and wishes. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hostagent.model.boot_wish import BootWish
from hostagent.model.guests import Bandwidth, GuestInterface, GuestVlan, Rate
from hostagent.sources.domain_tree import DomainXmlError, parse_tree

if TYPE_CHECKING:
    from hostagent.model.guests import Manager
    from hostagent.sources.domain_tree import Element

__all__ = ["DomainXml", "DomainXmlError", "parse_domain"]

_INTERFACE = "devices/interface"


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainXml:
    """What one domain's XML says. ``live`` is that it has an id, which only a domain with a process has."""

    live: bool
    managers: frozenset[Manager]
    interfaces: tuple[GuestInterface, ...]
    wish: BootWish = field(default_factory=BootWish)


def parse_domain(text: str, name: str = "") -> DomainXml:
    """Parse a domain's XML as virDomainGetXMLDesc returns it.

    Raises:
        DomainXmlError: it is not well-formed, not a domain's, or an interface in it is broken.
    """
    tree = parse_tree(text, name, frozenset({_INTERFACE}))
    return DomainXml(
        live=tree.live,
        managers=tree.managers,
        interfaces=tuple(_interface(element) for element in tree.all(_INTERFACE)),
        wish=tree.wish,
    )


def _interface(element: Element) -> GuestInterface:
    mtu = element.get("mtu", "size")
    return GuestInterface(
        kind=element.get("", "type") or "",
        mac=(element.get("mac", "address") or "").lower(),
        tap=element.get("target", "dev"),
        bridge=element.get("source", "bridge"),
        ovs=element.get("virtualport", "type") == "openvswitch",
        interface_id=element.get("virtualport/parameters", "interfaceid"),
        vlan=_vlan(element),
        bandwidth=Bandwidth(
            inbound=_rate(element, "bandwidth/inbound"), outbound=_rate(element, "bandwidth/outbound")
        ),
        link_up=element.get("link", "state") != "down",
        mtu=None if mtu is None else _number(mtu, "mtu size"),
    )


def _vlan(element: Element) -> GuestVlan | None:
    for vlan in element.all("vlan"):
        tags = vlan.all("tag")
        ids = tuple(_number(tag.get("", "id"), "vlan tag id") for tag in tags)
        native = next(
            (
                (number, mode)
                for number, tag in zip(ids, tags, strict=True)
                if (mode := tag.get("", "nativeMode"))
            ),
            None,
        )
        # libvirt reads more than one tag as a trunk even without the attribute (virNetDevVlanParse).
        return GuestVlan(tags=ids, trunk=vlan.get("", "trunk") == "yes" or len(ids) > 1, native=native)
    return None


def _rate(element: Element, path: str) -> Rate | None:
    average = element.get(path, "average")
    if average is None:  # absent, or only a guaranteed floor
        return None
    peak, burst = element.get(path, "peak"), element.get(path, "burst")
    return Rate(
        average=_number(average, "bandwidth average"),
        peak=0 if peak is None else _number(peak, "bandwidth peak"),
        burst=0 if burst is None else _number(burst, "bandwidth burst"),
    )


def _number(text: str | None, what: str) -> int:
    if text is None or not (text.isascii() and text.isdigit()):
        raise DomainXmlError(f"its {what} is {text!r}, not a number")
    return int(text)
