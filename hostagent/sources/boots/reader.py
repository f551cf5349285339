"""Guests as pacing sees them, read over one read-only connection to libvirt.

``guest`` stands between a start and its suspension: it takes a handful of round trips, each of which needs
the domain's lock only, and parses XML that it has not seen.
"""

from __future__ import annotations

import time
from fnmatch import fnmatchcase
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from hostagent.model.boot_guests import BootGuest, Figures
from hostagent.model.guests import Manager
from hostagent.sources.boots.boot_xml import parse_boot
from hostagent.sources.boots.figures import ask_figures
from hostagent.sources.boots.pools import PoolFinder
from hostagent.sources.libvirt import LibvirtReader, is_live, states_of_all, uuids
from hostagent.sources.libvirt_words import state_words
from hostagent.sources.xml_cache import XmlCache

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence
    from types import ModuleType

    import libvirt as lib

    from hostagent.model.boot_guests import GuestFigures

T = TypeVar("T")


class BootReader:
    """Reads domains, one or all, and their counters; may be asked by several threads.

    Every method blocks as long as libvirt does, and raises ReadError: ABSENT, UNREACHABLE, DENIED or
    INVALID. ``managed`` are patterns of the names of domains that something else runs (boot.managed).
    """

    def __init__(
        self,
        uri: str,
        *,
        managed: Sequence[str] = (),
        root: str = "/",
        disk_root: str = "/proc/1/root",
        sys_dir: str = "/sys",
    ) -> None:
        self.managed = managed
        self._libvirt = LibvirtReader(uri, root=root)
        self._xml = XmlCache(parse_boot)
        self._pools = PoolFinder(disk_root, sys_dir)

    def guests(self) -> tuple[BootGuest, ...]:
        """Every domain, in the order of their UUIDs. One that vanishes meanwhile is left out."""
        return self._libvirt.ask(self._guests)

    def guest(self, uuid: str) -> BootGuest | None:
        """One domain; None: libvirt does not know it (any more)."""

        def ask(libvirt: ModuleType, connection: lib.virConnect) -> BootGuest | None:
            def look() -> BootGuest:
                handle = connection.lookupByUUIDString(uuid)
                number, reason = handle.state()
                persistent = bool(handle.isPersistent())
                # A transient domain has no such flag (virDomainSetAutostart refuses).
                autostart = persistent and bool(handle.autostart())
                return self._guest(
                    libvirt, handle, (number, reason), persistent=persistent, autostart=autostart
                )

            return _if_there(libvirt, look)

        return self._libvirt.ask(ask)

    def figures(self, only: Collection[str] | None = None) -> Figures:
        """Counters of all guests that have a process, or of those with these UUIDs, in one call.

        sources.boots.figures says who is left out and how long it takes.
        """
        by_uuid = self._libvirt.ask(partial(ask_figures, only=only))
        return Figures(at=time.monotonic(), by_uuid=by_uuid)

    def figures_of(self, uuid: str) -> GuestFigures | None:
        """The same of one guest; None: gone, shut off, or its monitor is in use."""
        return self.figures((uuid,)).by_uuid.get(uuid)

    def close(self) -> None:
        """Drop the connection."""
        self._libvirt.close()

    def _guests(self, libvirt: ModuleType, connection: lib.virConnect) -> tuple[BootGuest, ...]:
        handles = connection.listAllDomains(0)
        persistent = uuids(connection, libvirt.VIR_CONNECT_LIST_DOMAINS_PERSISTENT)
        autostart = uuids(connection, libvirt.VIR_CONNECT_LIST_DOMAINS_AUTOSTART)
        states = states_of_all(libvirt, connection)
        found = {}
        for handle in handles:
            uuid = handle.UUIDString()

            def look(handle: lib.virDomain = handle, uuid: str = uuid) -> BootGuest:
                return self._guest(
                    libvirt,
                    handle,
                    states.get(uuid),
                    persistent=uuid in persistent,
                    autostart=uuid in autostart,
                )

            if (guest := _if_there(libvirt, look)) is not None:
                found[uuid] = guest
        self._xml.keep(found)
        return tuple(guest for _, guest in sorted(found.items()))

    def _guest(
        self,
        libvirt: ModuleType,
        handle: lib.virDomain,
        state: tuple[int, int] | None,
        *,
        persistent: bool,
        autostart: bool,
    ) -> BootGuest:
        xml = self._xml.read(libvirt, handle, 0)
        if state is None or xml.live != is_live(state):  # it started or ended between the two answers
            number, reason = handle.state()
            state = (number, reason)
            xml = self._xml.read(libvirt, handle, 0)
        known, word = state_words(*state)
        return BootGuest(
            uuid=handle.UUIDString(),
            name=handle.name(),
            id=xml.id,
            state=known,
            reason=word,
            persistent=persistent,
            autostart=autostart,
            wish=xml.wish,
            managers=self._managers(handle.name(), xml.managers),
            pool=self._pools.pool(xml.disk),
            agent=xml.agent,
            macs=xml.macs,
            memory=xml.memory,
        )

    def _managers(self, name: str, known: frozenset[Manager]) -> frozenset[Manager]:
        """Those that the XML tells of, or what the settings say of the name."""
        if known or not any(fnmatchcase(name, pattern) for pattern in self.managed):
            return known
        return frozenset({Manager.SITE})


def _if_there(libvirt: ModuleType, look: Callable[[], T]) -> T | None:
    """What ``look`` returns; None if the domain that it asks for is gone."""
    try:
        return look()
    except libvirt.libvirtError as error:
        if error.get_error_code() != libvirt.VIR_ERR_NO_DOMAIN:
            raise
        return None
