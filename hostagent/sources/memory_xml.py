"""A running domain's XML → what is promised to the guest, and what its memory is made of. Pure.

Format: libvirt's formatdomain. Only the elements in _WANTED become objects.
"""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING
from xml.parsers import expat

from hostagent.model.guests_memory import Backing, Promise
from hostagent.sources.libvirt_xml import DomainXmlError
from hostagent.sources.memory_text import parse_list

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_WANTED = frozenset(
    {
        "memory",
        "currentMemory",
        "maxMemory",
        "vcpu",
        "iothreads",
        "memoryBacking/hugepages",
        "memoryBacking/hugepages/page",
        "memoryBacking/locked",
        "memoryBacking/nosharepages",
        "memoryBacking/source",
        "memoryBacking/access",
        "numatune/memory",
        "numatune/memnode",
        "cpu/numa/cell",
        "launchSecurity",
        "devices/hostdev",
        "devices/interface",
        "devices/video/model",
        "devices/tpm",
    }
)
# libvirt's virScaleInteger; what it prints itself is KiB.
_SCALE = {"b": 1, "bytes": 1, "KB": 1000, "k": 1024, "KiB": 1024, "MB": 10**6, "M": 1 << 20, "MiB": 1 << 20}
_SCALE |= {"GB": 10**9, "G": 1 << 30, "GiB": 1 << 30, "TB": 10**12, "T": 1 << 40, "TiB": 1 << 40}
_SMALL_PAGE = 4096


@dataclass(slots=True)
class _Found:
    attributes: Mapping[str, str]
    text: str = ""


class _Reader:
    def __init__(self) -> None:
        self.found: dict[str, list[_Found]] = {}
        self._path: list[str] = []
        self._open: _Found | None = None

    def doctype(self, *_: object) -> None:
        raise DomainXmlError("it has a document type declaration, which libvirt never writes")

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        self._path.append(name)
        path = "/".join(self._path[1:]) if len(self._path) <= 4 else ""
        self._open = None
        if path in _WANTED:
            self._open = _Found(attributes)
            self.found.setdefault(path, []).append(self._open)

    def end(self, _name: str) -> None:
        self._path.pop()
        self._open = None

    def text(self, data: str) -> None:
        if self._open is not None:
            self._open.text += data


def parse_promise(text: str) -> Promise:
    """Parse a live domain's XML as virDomainGetXMLDesc returns it.

    Raises:
        DomainXmlError: it is not well-formed, or says no memory or CPUs.
    """
    reader = _Reader()
    parser = expat.ParserCreate("utf-8")
    parser.StartDoctypeDeclHandler = reader.doctype
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.text
    try:
        parser.ParseFile(BytesIO(text.encode(errors="surrogatepass")))
    except expat.ExpatError as error:
        raise DomainXmlError(f"it is not well-formed XML: {error}") from error
    found = reader.found
    maximum = _amount(found, "memory")
    if maximum is None:
        raise DomainXmlError("it says no <memory>")
    current, why = _amount(found, "currentMemory"), tuple(_why_fixed(found))
    backing = Backing.HUGE if _all_huge(found) else Backing.FIXED if why else Backing.ELASTIC
    return Promise(
        maximum=maximum,
        current=maximum if current is None else current,
        ceiling=_amount(found, "maxMemory"),
        vcpus=_vcpus(found),
        iothreads=_number(found["iothreads"][0].text) if "iothreads" in found else 0,
        video=any(each.attributes.get("type") != "none" for each in found.get("devices/video/model", ())),
        tpm="devices/tpm" in found,
        vfio=_vfio(found),
        backing=backing,
        why=("huge pages",) if backing is Backing.HUGE else why,
        bound=_bound(found, maximum),
    )


def _why_fixed(found: Mapping[str, list[_Found]]) -> Iterator[str]:
    if _vfio(found):
        yield "VFIO"
    if any(each.attributes.get("type") == "vdpa" for each in found.get("devices/interface", ())):
        yield "vDPA"
    if "memoryBacking/locked" in found:
        yield "locked"
    for each in found.get("launchSecurity", ()):
        yield each.attributes.get("type", "launchSecurity")
    for each in found.get("memoryBacking/source", ()):
        if each.attributes.get("type", "anonymous") != "anonymous":
            yield each.attributes["type"]
    access = [each.attributes.get("mode") for each in found.get("memoryBacking/access", ())]
    cells = [each.attributes.get("memAccess") for each in found.get("cpu/numa/cell", ())]
    if "shared" in (*access, *cells):
        yield "shared"
    if "memoryBacking/nosharepages" in found:
        yield "nosharepages"


def _vfio(found: Mapping[str, list[_Found]]) -> bool:
    devices = [each.attributes.get("type") for each in found.get("devices/hostdev", ())]
    interfaces = [each.attributes.get("type") for each in found.get("devices/interface", ())]
    return "pci" in devices or "mdev" in devices or "hostdev" in interfaces


def _all_huge(found: Mapping[str, list[_Found]]) -> bool:
    """Whether all of the guest is on huge pages; a part of it counts as none, which is the safe side.

    ``<page size='4'/>`` asks for small pages on purpose, and one with a nodeset covers a part only.
    """
    pages = found.get("memoryBacking/hugepages/page", [])
    small = any(_scaled(each, each.attributes.get("size", "")) <= _SMALL_PAGE for each in pages)
    whole = not pages or any("nodeset" not in each.attributes for each in pages)
    return "memoryBacking/hugepages" in found and whole and not small


def _bound(found: Mapping[str, list[_Found]], maximum: int) -> dict[int, int]:
    """NUMA node of the host → bytes that may be nowhere else; what may be on several nodes is on none."""
    bound: dict[int, int] = {}
    whole = _only(found.get("numatune/memory", ()))
    nodes = {each.attributes.get("cellid", ""): _only([each]) for each in found.get("numatune/memnode", ())}
    cells = found.get("cpu/numa/cell", [])
    if not cells:
        return {} if whole is None else {whole: maximum}
    for index, cell in enumerate(cells):
        node = nodes.get(cell.attributes.get("id", str(index)), whole)
        if node is not None:
            size = _scaled(cell, cell.attributes.get("memory", ""))
            bound[node] = bound.get(node, 0) + size
    return bound


def _only(policies: list[_Found] | tuple[_Found, ...]) -> int | None:
    """The one node of a strict policy, None if it is another or has several."""
    for each in policies:
        nodes = parse_list(each.attributes.get("nodeset", ""))
        if each.attributes.get("mode", "strict") == "strict" and len(nodes) == 1:
            return min(nodes)
    return None


def _amount(found: Mapping[str, list[_Found]], path: str) -> int | None:
    return _scaled(found[path][0], found[path][0].text) if path in found else None


def _scaled(element: _Found, number: str) -> int:
    unit = element.attributes.get("unit", "KiB")
    scale = _SCALE.get(unit)
    if scale is None:
        raise DomainXmlError(f"it counts in {unit!r}, which is no unit of memory")
    return _number(number) * scale


def _vcpus(found: Mapping[str, list[_Found]]) -> int:
    if "vcpu" not in found:
        return 1
    vcpu = found["vcpu"][0]
    return _number(vcpu.attributes.get("current", vcpu.text))


def _number(text: str) -> int:
    text = text.strip()
    if not (text.isascii() and text.isdigit()):
        raise DomainXmlError(f"it has {text!r} where a number is due")
    return int(text)
