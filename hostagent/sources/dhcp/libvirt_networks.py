"""libvirt's networks that should have a DHCP server, read over a read-only connection of its own.

Networks are kept by another driver than guests (virtnetworkd where the daemons are modular), which may
hang or be missing on its own account.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from ipaddress import ip_interface
from typing import TYPE_CHECKING
from xml.parsers import expat

from hostagent.model.dhcp import Expected, Keeper
from hostagent.model.host import Trouble
from hostagent.sources.deadline import ReadError, SourceThread
from hostagent.sources.installed import libvirt_installed

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import ModuleType

    import libvirt as lib

_LOCAL_URI = "qemu:///"
_NEXT_STEP = "systemctl status libvirtd virtnetworkd"


@dataclass(slots=True)
class NetworkXml:
    """What a network's XML says of DHCP: ``address`` is the server's, "" where IPv4 has no <dhcp>."""

    name: str = ""
    bridge: str = ""
    address: str = ""


class _Reader:
    def __init__(self) -> None:
        self.found = NetworkXml()
        self._path: list[str] = []
        self._address = ""

    def doctype(self, *_: object) -> None:
        raise ValueError("it has a document type declaration, which libvirt never writes")

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        self._path.append(tag)
        where = "/".join(self._path)
        if where == "network/bridge":
            self.found.bridge = attributes.get("name", "")
        elif where == "network/ip":
            self._address = attributes.get("address", "") if attributes.get("family") != "ipv6" else ""
        elif where == "network/ip/dhcp" and not self.found.address:  # libvirt allows one of IPv4's
            self.found.address = str(ip_interface(self._address).ip) if self._address else ""

    def end(self, _tag: str) -> None:
        self._path.pop()

    def text(self, data: str) -> None:
        if self._path == ["network", "name"]:
            self.found.name += data


def parse_network(text: str) -> NetworkXml:
    """Parse a network's XML as virNetworkGetXMLDesc returns it.

    Raises:
        ValueError: it is not well-formed, or has an address that is none.
    """
    reader = _Reader()
    parser = expat.ParserCreate("utf-8")
    parser.StartDoctypeDeclHandler = reader.doctype
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.text
    try:
        parser.Parse(text, True)  # noqa: FBT003  expat's signature
    except expat.ExpatError as error:
        raise ValueError(f"it is not well-formed XML: {error}") from error
    return reader.found


class NetworksReader:
    """Reads the networks of one libvirt; keeps its connection."""

    def __init__(self, uri: str, *, root: str = "/") -> None:
        self._uri = uri
        self._root = root
        self._connection: lib.virConnect | None = None
        self._thread = SourceThread("libvirt's networks")

    def read(self, seconds: float) -> tuple[Expected, ...]:
        """The networks with DHCP that run, and those that are to start with the host.

        Raises:
            ReadError: with its trouble; ABSENT without libvirt.
        """
        if not self._uri or (self._uri.startswith(_LOCAL_URI) and not libvirt_installed(self._root)):
            raise ReadError(Trouble.ABSENT, "libvirt is not installed on this host")
        try:
            libvirt = import_module("libvirt")
        except ImportError as error:
            raise ReadError(
                Trouble.INVALID, f"libvirt's Python module is missing: {error} (install python3-libvirt)"
            ) from error
        libvirt.registerErrorHandler(lambda *_: None, None)
        return self._thread.read(lambda: self._read(libvirt), seconds)

    def close(self) -> None:
        """Drop the connection."""
        self._thread.close()
        self._connection = None

    def _read(self, libvirt: ModuleType) -> tuple[Expected, ...]:
        for last in (False, True):
            fresh = self._connection is None
            try:
                if self._connection is None:
                    self._connection = libvirt.openReadOnly(self._uri)
                handles = self._connection.listAllNetworks(0)
                return tuple(found for each in handles if (found := _expected(libvirt, each)))
            except libvirt.libvirtError as error:
                self._connection = None
                if error.get_error_code() == libvirt.VIR_ERR_NO_SUPPORT:  # no network driver is installed
                    return ()
                if fresh or last:
                    words = f"libvirt's networks: {error.get_error_message() or error} ({_NEXT_STEP})"
                    raise ReadError(Trouble.UNREACHABLE, words) from error
            except ValueError as error:
                raise ReadError(
                    Trouble.INVALID, f"libvirt's networks: {error} (virsh net-dumpxml)"
                ) from error
        raise AssertionError("the second attempt returns or raises")


def _expected(libvirt: ModuleType, handle: lib.virNetwork) -> Expected | None:
    """A network as it should be served, or None where it should not."""
    try:
        active = bool(handle.isActive())
        if not active and not handle.autostart():
            return None
        found = parse_network(handle.XMLDesc(0))
    except libvirt.libvirtError as error:
        if error.get_error_code() == libvirt.VIR_ERR_NO_NETWORK:  # undefined meanwhile
            return None
        raise
    if not found.address:
        return None
    return Expected(
        network=found.name,
        keeper=Keeper.LIBVIRT,
        link=found.bridge,
        address=found.address,
        active=active,
    )
