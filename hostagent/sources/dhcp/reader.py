"""DHCP of the whole host → Dhcp: servers, what their sockets say in each network namespace, leases."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from hostagent.decide.dhcp import networks
from hostagent.decide.dhcp.findings import STUCK
from hostagent.decide.dhcp.missing import judge_missing
from hostagent.decide.dhcp.sockets import judge_sockets
from hostagent.model.dhcp import Dhcp, Expected, Keeper, Lease, Namespace, Server
from hostagent.model.host import Trouble
from hostagent.sources.deadline import ReadError
from hostagent.sources.dhcp import netns
from hostagent.sources.dhcp.dnsmasq import find_processes, read_server, read_sockets
from hostagent.sources.dhcp.kept import read_kept
from hostagent.sources.dhcp.leases import parse_leases, parse_status
from hostagent.sources.dhcp.libvirt_networks import NetworksReader
from hostagent.sources.dhcp.probes import read_probes
from hostagent.sources.files import read_bounded

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from hostagent.sources.dhcp.dnsmasq import Process

_STUCK_SECONDS, _AGAIN_SECONDS = 2.0, 0.1
_SETTLE_SECONDS = 0.05
_LIBVIRT_SHARE = 0.5  # of the time: a hung libvirt must not blind the socket layer
_LIBVIRT_LEASES = "/var/lib/libvirt/dnsmasq"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """The servers of one look and where they are."""

    servers: tuple[Server, ...]
    places: tuple[netns.Place, ...]


class DhcpReader:
    """Looks at every DHCP server of the host. Call it in a SourceThread."""

    def __init__(self, *, libvirt_uri: str, proc_dir: str, run_dir: str, root: str = "/") -> None:
        self._networks = NetworksReader(libvirt_uri, root=root)
        self._proc_dir = proc_dir
        self._run_dir = run_dir
        self._root = root

    def read(self, until: float) -> Dhcp:
        """Everything by ``until`` (monotonic); takes 2 s longer where a server does not empty its queue.

        A server that is just starting or ending looks broken for a moment: it binds its socket first, and
        to its device after that. So what looks broken is read twice.

        Raises:
            ReadError: ABSENT where nothing serves DHCP, DENIED without root.
        """
        seen = self._read(until)
        if _looks_broken(seen) and time.monotonic() + _SETTLE_SECONDS < until:
            time.sleep(_SETTLE_SECONDS)
            seen = self._read(until)
        return seen

    def close(self) -> None:
        """Drop libvirt's connection."""
        self._networks.close()

    def _read(self, until: float) -> Dhcp:
        processes = find_processes(self._proc_dir)
        places = netns.Places(self._proc_dir)
        found = self._servers(processes, places)
        unread: list[str] = []
        expected = [*self._libvirt(until, unread), *read_kept(places, self._root)]
        if not found.servers and not expected and not unread:
            raise ReadError(
                Trouble.ABSENT, "no dnsmasq serves DHCP here, and no network of libvirt's has DHCP"
            )
        wanted = {each.key: each for each in found.places}
        keys = {each.namespace for each in expected}
        wanted |= {each.key: each for each in places.by_inode.values() if each.key in keys}
        namespaces = netns.read_namespaces(wanted.values())
        owners = self._owners(found.servers)
        namespaces = _with_stuck([_owned(each, owners) for each in namespaces], until)
        leases, torn = self._leases(found.servers, unread)
        return Dhcp(
            namespaces=tuple(namespaces),
            servers=found.servers,
            expected=tuple(expected),
            leases=tuple(leases),
            torn_leases=torn,
            probes=read_probes(self._run_dir),
            unread=tuple(unread),
        )

    def _servers(self, processes: list[Process], places: netns.Places) -> _Found:
        servers, used = [], {}
        for process in processes:
            try:
                place = places.of_process(process.pid)
                server = None if place is None else read_server(process, place, self._proc_dir)
            except (FileNotFoundError, ProcessLookupError):  # it has ended
                continue
            except PermissionError as error:
                words = f"dnsmasq (process {process.pid}): its network namespace can't be read (run as root)"
                raise ReadError(Trouble.DENIED, words) from error
            if place is not None and server is not None:
                servers.append(server)
                used[place.key] = place
        return _Found(servers=tuple(servers), places=tuple(used.values()))

    def _libvirt(self, until: float, unread: list[str]) -> tuple[Expected, ...]:
        now = time.monotonic()
        try:
            return self._networks.read(max(0.1, (until - now) * _LIBVIRT_SHARE))
        except ReadError as error:
            if error.trouble is not Trouble.ABSENT:
                unread.append(error.reason)
            return ()

    def _owners(self, servers: tuple[Server, ...]) -> dict[int, tuple[int, ...]]:
        owners: dict[int, tuple[int, ...]] = {}
        for each in servers:
            with suppress(OSError):  # it has ended: its socket is gone with it
                for inode in read_sockets(each.pid, self._proc_dir):
                    owners[inode] = (*owners.get(inode, ()), each.pid)
        return owners

    def _leases(self, servers: tuple[Server, ...], unread: list[str]) -> tuple[list[Lease], int]:
        leases: list[Lease] = []
        torn = 0
        for each in servers:
            path, parse = _lease_file(each)
            try:
                text = read_bounded(f"{self._proc_dir}/{each.pid}/root{path}")
            except FileNotFoundError:  # no lease was given yet
                continue
            except (OSError, ValueError) as error:
                unread.append(f"leases in {path} can't be read: {error}")
                continue
            found, dropped = parse(text, each.pid)
            leases += found
            torn += dropped
        return leases, torn


def _looks_broken(seen: Dhcp) -> bool:
    found = (*judge_sockets(seen, networks(seen)), *judge_missing(seen))
    return any(each.code != STUCK for each in found)


def _lease_file(server: Server) -> tuple[str, Callable[[str, int], tuple[list[Lease], int]]]:
    if server.keeper is Keeper.LIBVIRT and server.interfaces:
        return f"{_LIBVIRT_LEASES}/{server.interfaces[0]}.status", parse_status
    return server.lease_file, parse_leases


def _owned(namespace: Namespace, owners: Mapping[int, tuple[int, ...]]) -> Namespace:
    sockets = tuple(replace(each, pids=owners.get(each.inode, ())) for each in namespace.sockets)
    return replace(namespace, sockets=sockets)


def _with_stuck(namespaces: Sequence[Namespace], until: float) -> list[Namespace]:
    """Look again and again for 2 s, as long as something waits: a server that lives empties its queue."""
    waiting = {
        each.key: inodes
        for each in namespaces
        if (inodes := frozenset(one.inode for one in each.sockets if one.queue))
    }
    ends = time.monotonic() + _STUCK_SECONDS
    while waiting and time.monotonic() < ends:
        if time.monotonic() + _AGAIN_SECONDS >= until:
            return list(namespaces)  # not known
        time.sleep(_AGAIN_SECONDS)
        still = {key: inodes & _queues(key) for key, inodes in waiting.items()}
        waiting = {key: inodes for key, inodes in still.items() if inodes}
    return [replace(each, stuck=waiting.get(each.key, frozenset())) for each in namespaces]


def _queues(key: str) -> frozenset[int]:
    try:
        return netns.queues(key)
    except OSError:  # the namespace is gone
        return frozenset()
