"""Domains' XML: asked for each time, and parsed when it is not what it was at the last look."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

from hostagent.model.host import Trouble
from hostagent.sources.deadline import ReadError
from hostagent.sources.domain_tree import DomainXmlError

if TYPE_CHECKING:
    from collections.abc import Callable, Container
    from types import ModuleType

    import libvirt as lib

T = TypeVar("T")


class XmlCache(Generic[T]):
    """What ``parse`` made of each domain's XML and name."""

    def __init__(self, parse: Callable[[str, str], T]) -> None:
        self._parse = parse
        self._parsed: dict[tuple[str, int], tuple[int, int, T]] = {}

    def read(self, libvirt: ModuleType, handle: lib.virDomain, flags: int) -> T:
        """The XML of one domain, as virDomainGetXMLDesc gives it for these flags, parsed.

        Raises:
            libvirt.libvirtError: the domain is gone, or the connection.
            ReadError: INVALID.
        """
        name = handle.name()
        try:
            return self._parse_once(handle.UUIDString(), flags, handle.XMLDesc(flags), name)
        except DomainXmlError as error:
            words = f"libvirt's XML of domain {name!r} can't be read: {error}"
        except libvirt.libvirtError as error:
            if error.get_error_code() == libvirt.VIR_ERR_NO_DOMAIN or not handle.connect().isAlive():
                raise
            # For instance more than 4 MiB of it, which no message of libvirt's can hold.
            words = f"libvirt does not hand out the XML of domain {name!r}: {error}"
        raise ReadError(Trouble.INVALID, f"{words} (virsh dumpxml {handle.UUIDString()})")

    def keep(self, uuids: Container[str]) -> None:
        """Forget all domains but these."""
        self._parsed = {key: kept for key, kept in self._parsed.copy().items() if key[0] in uuids}

    def _parse_once(self, uuid: str, flags: int, text: str, name: str) -> T:
        # The text itself is not kept, for it is megabytes; its length and Python's keyed 64-bit hash are.
        kept = self._parsed.get((uuid, flags))
        length, digest = len(text), hash(text)
        if kept is None or kept[:2] != (length, digest):
            kept = length, digest, self._parse(text, name)
            self._parsed[uuid, flags] = kept
        return kept[2]
