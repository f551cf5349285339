"""A domain's XML → the few elements that were asked for, as trees, and what its metadata says. Pure.

expat is used directly: 5 MB of XML cost little when only these become objects, and a document type
declaration, without which no entity can be defined, is refused before its content is read.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from io import BytesIO
from typing import TYPE_CHECKING
from xml.parsers import expat

from hostagent.model.boot_wish import XMLNS, BootWish
from hostagent.model.boot_xml import wish_of
from hostagent.model.guests import Manager

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
_BOOT = f"{XMLNS}{_SEPARATOR}boot"
_AFTER = frozenset({f"{XMLNS}{_SEPARATOR}after", "after"})


class DomainXmlError(ValueError):
    """The XML can't be understood."""


@dataclass(slots=True)
class Element:
    """One element; ``text`` is kept for the domain's own children only."""

    tag: str
    attributes: Mapping[str, str]
    children: list[Element] = field(default_factory=list)
    text: str = ""

    def get(self, path: str, attribute: str) -> str | None:
        """An attribute of the first element at the path (child/grandchild, "" for this one)."""
        found: Element | None = self
        for step in path.split("/") if path else ():
            found = next((child for child in found.children if child.tag == step), None) if found else None
        return found.attributes.get(attribute) if found else None

    def all(self, tag: str) -> tuple[Element, ...]:
        """Its children of this name."""
        return tuple(child for child in self.children if child.tag == tag)


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainTree:
    """What was asked for, by path. ``live`` is that it has an id, which only a domain with a process has."""

    live: bool
    id: int | None
    managers: frozenset[Manager]
    wish: BootWish
    found: Mapping[str, list[Element]]

    def all(self, path: str) -> tuple[Element, ...]:
        """The elements at this path, in their order."""
        return tuple(self.found.get(path, ()))


class _Reader:
    """Keeps domain/@id, the namespaces below domain/metadata, <boot> there, and each wanted element."""

    def __init__(self, wanted: frozenset[str], parser: expat.XMLParserType) -> None:
        self.live = False
        self.id = ""
        self.namespaces: set[str] = set()
        self.found: dict[str, list[Element]] = {}
        self._wanted = wanted
        self._parser = parser
        self._path: list[str] = []
        self._open: list[Element] = []

    def doctype(self, *_: object) -> None:
        raise DomainXmlError("it has a document type declaration, which libvirt never writes")

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        depth = len(self._path)
        if depth == 0:
            if name != "domain":
                raise DomainXmlError("its root is not <domain>")
            self.live, self.id = "id" in attributes, attributes.get("id", "")
        elif depth == 2 and self._path[1] == "metadata" and _SEPARATOR in name:
            self.namespaces.add(name.partition(_SEPARATOR)[0])
        if self._open:
            element = Element(name, attributes)
            self._open[-1].children.append(element)
            self._open.append(element)
        elif 0 < depth <= 2:
            self._begin("/".join((*self._path[1:], name)), name, attributes)
        self._path.append(name)

    def _begin(self, path: str, name: str, attributes: Mapping[str, str]) -> None:
        if path in self._wanted or path == f"metadata/{_BOOT}":
            self._open.append(Element(name, attributes))
            self.found.setdefault(path, []).append(self._open[0])
            if "/" not in path:
                self._parser.CharacterDataHandler = self.text

    def end(self, _name: str) -> None:
        self._path.pop()
        if self._open:
            self._open.pop()
            self._parser.CharacterDataHandler = None

    def text(self, data: str) -> None:
        self._open[-1].text += data


def parse_tree(text: str, name: str, wanted: frozenset[str]) -> DomainTree:
    """Parse a domain's XML as virDomainGetXMLDesc returns it; ``wanted`` are paths below <domain>, two deep.

    Raises:
        DomainXmlError: it is not well-formed, or not a domain's.
    """
    parser = expat.ParserCreate("utf-8", _SEPARATOR)
    reader = _Reader(wanted, parser)
    parser.StartDoctypeDeclHandler = reader.doctype
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    try:
        parser.ParseFile(BytesIO(text.encode(errors="surrogatepass")))
    except expat.ExpatError as error:
        raise DomainXmlError(f"it is not well-formed XML: {error}") from error
    managers = {who for prefix, who in _NAMESPACES for uri in reader.namespaces if uri.startswith(prefix)}
    if _OPENNEBULA_NAME.fullmatch(name):
        managers.add(Manager.OPENNEBULA)
    return DomainTree(
        live=reader.live,
        id=int(reader.id) if reader.id.isascii() and reader.id.isdigit() and len(reader.id) < 20 else None,
        managers=frozenset(managers),
        wish=_wish(reader.found.get(f"metadata/{_BOOT}", [])),
        found=reader.found,
    )


def _wish(found: list[Element]) -> BootWish:
    if not found:
        return BootWish()
    after = (each.attributes.get("name", "") for each in found[0].children if each.tag in _AFTER)
    return wish_of(found[0].attributes, after)
