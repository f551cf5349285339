"""Domains, read from libvirt over one read-only connection.

Few calls, none of which waits for a guest: the list, XML (both need only the domain's lock), and the states
of all domains at once; libvirt_jobs.py says how jobs are asked for. xml_cache.py how XML.
"""

from __future__ import annotations

from dataclasses import replace
from importlib import import_module
from typing import TYPE_CHECKING, TypeVar

from hostagent.model.guests import Domain, Domains, DomainState
from hostagent.model.host import Trouble
from hostagent.sources.deadline import ReadError, SourceThread
from hostagent.sources.installed import libvirt_installed
from hostagent.sources.libvirt_jobs import JobReader
from hostagent.sources.libvirt_words import state_words, trouble_of
from hostagent.sources.libvirt_xml import parse_domain
from hostagent.sources.xml_cache import XmlCache

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

    import libvirt as lib

T = TypeVar("T")

_NEXT_STEP = "is the daemon running? systemctl status libvirtd.socket virtqemud.socket"
_LOCAL_URI = "qemu:///"  # without a transport or socket of its own


class LibvirtReader:
    """Reads all domains; keeps its connection and opens a new one when that is lost."""

    def __init__(self, uri: str, *, root: str = "/") -> None:
        self._uri = uri
        self._root = root
        self._connection: lib.virConnect | None = None
        self._jobs = JobReader()
        self._xml = XmlCache(parse_domain)

    def read(self) -> Domains:
        """Every domain, live and persistent, that libvirt has now.

        Blocks as long as libvirt does: call it in a SourceThread.

        Raises:
            ReadError: ABSENT, UNREACHABLE, DENIED or INVALID.
        """
        return self.ask(self._read)

    def pulse(self) -> None:
        """Return when libvirt has answered one question.

        The states of all domains: it waits for no guest, and yet needs one of the workers that a look needs,
        which libvirt's simplest calls do not (remote_protocol.x, @priority).

        Raises:
            ReadError: as for read().
        """
        self.ask(states_of_all)

    def ask(self, question: Callable[[ModuleType, lib.virConnect], T]) -> T:
        """What ``question`` returns for the library and the connection, which is opened where it must be.

        Raises:
            ReadError: as for read(), and what the question raises.
        """
        libvirt = library(self._uri, self._root)
        kept = self._connection is not None
        try:
            return question(libvirt, self._connect(libvirt))
        except libvirt.libvirtError as error:
            self.close()
            if not kept:
                raise self._failed(error) from error
        # The daemon was restarted, or ended itself when idle, since the last look: a new connection is due.
        try:
            return question(libvirt, self._connect(libvirt))
        except libvirt.libvirtError as error:
            self.close()
            raise self._failed(error) from error

    def close(self) -> None:
        """Drop the connection."""
        self._jobs.close()
        self._connection = None  # libvirt-python closes it with its last reference

    def _connect(self, libvirt: ModuleType) -> lib.virConnect:
        if self._connection is None:
            self._connection = libvirt.openReadOnly(self._uri)
        return self._connection

    def _read(self, libvirt: ModuleType, connection: lib.virConnect) -> Domains:
        handles = connection.listAllDomains(0)
        persistent = uuids(connection, libvirt.VIR_CONNECT_LIST_DOMAINS_PERSISTENT)
        autostart = uuids(connection, libvirt.VIR_CONNECT_LIST_DOMAINS_AUTOSTART)
        states = states_of_all(libvirt, connection)
        found: dict[str, Domain] = {}
        live: dict[str, lib.virDomain] = {}
        for handle in handles:
            uuid = handle.UUIDString()
            try:
                known = self._domain(libvirt, handle, states.get(uuid), persistent=uuid in persistent)
            except libvirt.libvirtError as error:
                if error.get_error_code() != libvirt.VIR_ERR_NO_DOMAIN:  # ended meanwhile, and was transient
                    raise
                continue
            found[uuid] = replace(known, autostart=uuid in autostart)
            if known.live:
                live[uuid] = handle
        jobs = self._jobs.read(libvirt, live)
        for uuid in live:
            if uuid not in jobs:
                del found[uuid]
            elif jobs[uuid]:
                found[uuid] = replace(found[uuid], job=jobs[uuid])
        self._xml.keep(found)
        return Domains(by_uuid=found, hypervisor=self._uri)

    def _domain(
        self, libvirt: ModuleType, handle: lib.virDomain, state: tuple[int, int] | None, *, persistent: bool
    ) -> Domain:
        current = self._xml.read(libvirt, handle, 0)
        if state is None or current.live != is_live(state):  # it started or ended between the two answers
            number, reason = handle.state()
            state = (number, reason)
            current = self._xml.read(libvirt, handle, 0)
        stored = current
        if persistent and current.live:
            stored = self._xml.read(libvirt, handle, libvirt.VIR_DOMAIN_XML_INACTIVE)
        known, word = state_words(*state)
        return Domain(
            uuid=handle.UUIDString(),
            name=handle.name(),
            state=known,
            reason=word,
            live=current.live,
            persistent=persistent,
            managers=current.managers,
            interfaces=current.interfaces if current.live else (),
            persistent_interfaces=stored.interfaces if persistent else (),
            wish=stored.wish,
        )

    def _failed(self, error: lib.libvirtError) -> ReadError:
        trouble = trouble_of(int(error.get_error_code() or 0), int(error.get_int1() or 0))
        words = str(error.get_error_message() or error)
        if trouble is Trouble.DENIED:
            return ReadError(
                trouble, f"libvirt at {self._uri}: {words} (run as root, or as a member of group libvirt)"
            )
        if trouble is Trouble.INVALID:
            return ReadError(trouble, f"libvirt at {self._uri}: {words} (check sources.libvirt_uri)")
        return ReadError(trouble, f"libvirt unreachable at {self._uri}: {words} ({_NEXT_STEP})")


def library(uri: str, root: str = "/") -> ModuleType:
    """libvirt's Python module, which prints nothing.

    Raises:
        ReadError: ABSENT where there is no libvirt, INVALID where only the module is missing.
    """
    if not uri:
        raise ReadError(Trouble.ABSENT, "no libvirt: sources.libvirt_uri is empty in the configuration")
    if uri.startswith(_LOCAL_URI) and not libvirt_installed(root):
        raise ReadError(
            Trouble.ABSENT,
            "libvirt is not installed on this host (no daemon, unit or socket of libvirtd or virtqemud)",
        )
    try:
        libvirt = import_module("libvirt")
    except ImportError as error:
        raise ReadError(
            Trouble.INVALID, f"libvirt's Python module is missing: {error} (install python3-libvirt)"
        ) from error
    # Without a handler the library prints every error to stderr.
    libvirt.registerErrorHandler(_say_nothing, None)
    return libvirt


def read_domains(uri: str, *, seconds: float) -> Domains:
    """All domains, read once over a connection of its own.

    Raises:
        ReadError: with its trouble, UNRESPONSIVE after ``seconds``.
    """
    return SourceThread(f"libvirt at {uri}").read(LibvirtReader(uri).read, seconds)


def uuids(connection: lib.virConnect, flags: int) -> frozenset[str]:
    """The domains that virConnectListAllDomains has for these flags."""
    return frozenset(each.UUIDString() for each in connection.listAllDomains(flags))


def states_of_all(libvirt: ModuleType, connection: lib.virConnect) -> dict[str, tuple[int, int]]:
    """State and reason of every domain, in one call where the driver has it."""
    try:
        every = connection.getAllDomainStats(
            libvirt.VIR_DOMAIN_STATS_STATE, libvirt.VIR_CONNECT_GET_ALL_DOMAINS_STATS_NOWAIT
        )
    except libvirt.libvirtError as error:
        if error.get_error_code() not in {libvirt.VIR_ERR_NO_SUPPORT, libvirt.VIR_ERR_INVALID_ARG}:
            raise
        return {}
    return {
        handle.UUIDString(): (int(numbers["state.state"]), int(numbers.get("state.reason", 0)))
        for handle, numbers in every
        if "state.state" in numbers
    }


def is_live(state: tuple[int, int]) -> bool:
    """Whether a domain in this state has a process."""
    return state_words(*state)[0] not in {DomainState.SHUTOFF, DomainState.NOSTATE}


def _say_nothing(_context: object, _error: object) -> None:
    """Errors arrive as exceptions."""
