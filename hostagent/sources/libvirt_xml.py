"""A domain's XML → its interfaces and managers. Pure.

expat is used directly: 5 MB of XML cost little when only the interfaces become objects, and a document type
declaration, without which no entity can be defined, is refused before its content is read.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from io import BytesIO
from typing import TYPE_CHECKING
from xml.parsers import expat

from hostagent.model.guests import Bandwidth, GuestInterface, GuestVlan, Manager, Rate

if TYPE_CHECKING:
    from collections.abc import Mapping

# Where each manager says so: nova/virt/libvirt/config.py (NOVA_NS), vdsm/virt/xmlconstants.py,
# OpenNebula's src/vmm/LibVirtDriverKVM.cc (ONE_NS).
_NAMESPACES = (
    ("http://openstack.org/xmlns/libvirt/nova/", Manager.NOVA),
    ("http://ovirt.org/vm/", Manager.OVIRT),
    ("http://opennebula.org/xmlns/libvirt/", Manager.OPENNEBULA),
)
# OpenNebula names its domains so, with or without metadata.
_OPENNEBULA_NAME = re.compile(r"one-\d+")
_SEPARATOR = " "


class DomainXmlError(ValueError):
    """The XML can't be understood."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainXml:
    """What one domain's XML says. ``live`` is that it has an id, which only a domain with a process has."""

    live: bool
    managers: frozenset[Manager]
    interfaces: tuple[GuestInterface, ...]


@dataclass(slots=True)
class _Element:
    tag: str
    attributes: Mapping[str, str]
    children: list[_Element] = field(default_factory=list)

    def get(self, path: str, attribute: str) -> str | None:
        """An attribute of the first element at the path (child/grandchild, "" for this one)."""
        found: _Element | None = self
        for step in path.split("/") if path else ():
            found = next((child for child in found.children if child.tag == step), None) if found else None
        return found.attributes.get(attribute) if found else None

    def all(self, tag: str) -> tuple[_Element, ...]:
        return tuple(child for child in self.children if child.tag == tag)


class _Reader:
    """Keeps domain/@id, the namespaces below domain/metadata, and each domain/devices/interface as a tree."""

    def __init__(self) -> None:
        self.live = False
        self.namespaces: set[str] = set()
        self.interfaces: list[_Element] = []
        self._path: list[str] = []
        self._open: list[_Element] = []

    def doctype(self, *_: object) -> None:
        raise DomainXmlError("it has a document type declaration, which libvirt never writes")

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        depth = len(self._path)
        if depth == 0:
            if name != "domain":
                raise DomainXmlError("its root is not <domain>")
            self.live = "id" in attributes
        elif depth == 2 and self._path[1] == "metadata" and _SEPARATOR in name:
            self.namespaces.add(name.partition(_SEPARATOR)[0])
        if self._open or (depth == 2 and self._path[1] == "devices" and name == "interface"):
            element = _Element(name, attributes)
            if self._open:
                self._open[-1].children.append(element)
            self._open.append(element)
        self._path.append(name)

    def end(self, _name: str) -> None:
        self._path.pop()
        if self._open:
            element = self._open.pop()
            if not self._open:
                self.interfaces.append(element)


def parse_domain(text: str, name: str = "") -> DomainXml:
    """Parse a domain's XML as virDomainGetXMLDesc returns it.

    Raises:
        DomainXmlError: it is not well-formed, not a domain's, or an interface in it is broken.
    """
    reader = _Reader()
    parser = expat.ParserCreate("utf-8", _SEPARATOR)
    parser.StartDoctypeDeclHandler = reader.doctype
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    try:
        parser.ParseFile(BytesIO(text.encode(errors="surrogatepass")))
        interfaces = tuple(_interface(element) for element in reader.interfaces)
    except expat.ExpatError as error:
        raise DomainXmlError(f"it is not well-formed XML: {error}") from error
    managers = {who for prefix, who in _NAMESPACES for uri in reader.namespaces if uri.startswith(prefix)}
    if _OPENNEBULA_NAME.fullmatch(name):
        managers.add(Manager.OPENNEBULA)
    return DomainXml(live=reader.live, managers=frozenset(managers), interfaces=interfaces)


def _interface(element: _Element) -> GuestInterface:
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


def _vlan(element: _Element) -> GuestVlan | None:
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


def _rate(element: _Element, path: str) -> Rate | None:
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
