"""The running guests' memory: their XML and balloons from libvirt in bulk, their processes from /proc.

Every call is one that libvirt answers without asking a guest: live XML, and all balloons at once with
NOWAIT. A domain whose monitor is in use has no balloon statistics in that answer, which is unknown, not 0.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from hostagent.model.guests_memory import Balloon, GuestMemory, GuestsMemory, Promise
from hostagent.model.host import Trouble
from hostagent.sources.deadline import ReadError
from hostagent.sources.libvirt import LibvirtReader
from hostagent.sources.libvirt_xml import DomainXmlError
from hostagent.sources.memory_xml import parse_promise
from hostagent.sources.processes import read_processes

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import ModuleType

    import libvirt as lib

_KIB = 1024
_STALE_SECONDS = 60.0  # managers have the guests' drivers report every 5 to 30 s


class GuestsMemoryReader:
    """Reads all running guests; keeps its own connection, so that the look at the domains never waits."""

    def __init__(self, uri: str, *, proc_dir: str = "/proc", root: str = "/") -> None:
        self._libvirt = LibvirtReader(uri, root=root)
        self._proc = proc_dir

    def read(self) -> GuestsMemory:
        """Every domain with a process.

        Raises:
            ReadError: ABSENT, UNREACHABLE, DENIED or INVALID.
        """
        guests = self._libvirt.ask(_ask)
        processes = read_processes(self._proc, guests.keys()) if guests else {}
        found = {
            uuid: GuestMemory(
                uuid=uuid, name=name, promise=promise, balloon=balloon, process=processes.get(uuid)
            )
            for uuid, (name, promise, balloon) in guests.items()
        }
        return GuestsMemory(by_uuid=found)

    def close(self) -> None:
        """Drop the connection."""
        self._libvirt.close()


def _ask(libvirt: ModuleType, connection: lib.virConnect) -> dict[str, tuple[str, Promise, Balloon | None]]:
    now = time.time()
    balloons = _balloons(libvirt, connection, now)
    found = {}
    for handle in connection.listAllDomains(libvirt.VIR_CONNECT_LIST_DOMAINS_ACTIVE):
        uuid = handle.UUIDString()
        try:
            text = handle.XMLDesc(0)
        except libvirt.libvirtError as error:
            if error.get_error_code() != libvirt.VIR_ERR_NO_DOMAIN:  # ended meanwhile, and was transient
                raise
            continue
        try:
            found[uuid] = (handle.name(), parse_promise(text), balloons.get(uuid))
        except DomainXmlError as error:
            words = f"libvirt's XML of domain {handle.name()!r} can't be read: {error}"
            raise ReadError(Trouble.INVALID, f"{words} (virsh dumpxml {uuid})") from error
    return found


def _balloons(libvirt: ModuleType, connection: lib.virConnect, now: float) -> dict[str, Balloon]:
    flags = libvirt.VIR_CONNECT_GET_ALL_DOMAINS_STATS_ACTIVE
    flags |= libvirt.VIR_CONNECT_GET_ALL_DOMAINS_STATS_NOWAIT
    try:
        every = connection.getAllDomainStats(libvirt.VIR_DOMAIN_STATS_BALLOON, flags)
    except libvirt.libvirtError as error:
        if error.get_error_code() not in {libvirt.VIR_ERR_NO_SUPPORT, libvirt.VIR_ERR_INVALID_ARG}:
            raise
        return {}
    found = {handle.UUIDString(): balloon_of(numbers, now) for handle, numbers in every}
    return {uuid: balloon for uuid, balloon in found.items() if balloon is not None}


def balloon_of(numbers: Mapping[str, Any], now: float) -> Balloon | None:
    """One domain's ``balloon.*`` figures; what the guest said too long ago, or never, is None."""
    current = numbers.get("balloon.current")
    if current is None:
        return None
    said_at = float(numbers.get("balloon.last-update", 0)) or None
    fresh = said_at is not None and now - said_at <= _STALE_SECONDS

    def said(name: str) -> int | None:
        value = numbers.get(f"balloon.{name}")
        return int(value) * _KIB if fresh and value is not None else None

    return Balloon(
        current=int(current) * _KIB,
        said_at=said_at,
        available=said("available"),
        unused=said("unused"),
        usable=said("usable"),
    )
