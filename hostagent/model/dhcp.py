"""DHCP servers of the host as found: processes, sockets on port 67, leases, and what probes said.

A network is called by its name where its keeper gave one (libvirt, neutron), else by the link that its
guests are on; in another network namespace than the host's "NAMESPACE:LINK". Addresses are IPv4, as text.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

HOST = ""  # the key of the host's own network namespace
PROBES_FILE = "dhcp-probes.json"  # in the run directory: the last reports


class Keeper(StrEnum):
    """Who started a server and keeps its configuration."""

    LIBVIRT = "libvirt"
    NEUTRON = "neutron"
    INCUS = "incus"
    LXC = "lxc-net"
    OTHER = "dnsmasq"


@dataclass(frozen=True, slots=True, kw_only=True)
class DhcpLink:
    """A link of a namespace. ``kind`` is rtnetlink's (bridge, openvswitch, veth, tun, …).

    ``master`` is an ifindex; ``addresses`` are IPv4 with their prefix lengths, "10.77.1.1/24".
    """

    name: str
    ifindex: int
    kind: str = ""
    master: int | None = None
    addresses: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class UdpSocket:
    """A UDP socket on port 67.

    ``ifindex`` is the device it is bound to (0: none), ``address`` its local one ("": any). ``queue`` are
    the bytes that wait in it, ``pids`` the processes that hold it, as far as they are known.
    """

    inode: int
    ifindex: int = 0
    address: str = ""
    queue: int = 0
    pids: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Namespace:
    """A network namespace in which there is, or should be, a DHCP server.

    ``key`` is HOST, or a path to enter it by. ``stuck`` are the inodes of sockets in which something
    waited in every reading for 2 s.
    ``unread`` is why its sockets and links could not be read, or "".
    """

    key: str
    name: str
    inode: int
    links: tuple[DhcpLink, ...] = ()
    sockets: tuple[UdpSocket, ...] = ()
    stuck: frozenset[int] = frozenset()
    unread: str = ""

    def link(self, name: str) -> DhcpLink | None:
        """The link of this name."""
        return next((each for each in self.links if each.name == name), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class DhcpRange:
    """One IPv4 --dhcp-range. ``lease_seconds`` None is for ever; ``netmask`` "" is the interface's own.

    ``static``: only clients that have a --dhcp-host get an address.
    """

    first: str
    last: str = ""
    netmask: str = ""
    static: bool = False
    lease_seconds: int | None = 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A dnsmasq process that serves or relays DHCP, with its configuration (dnsmasq(8)'s own words).

    ``binding`` is "bind-interfaces", "bind-dynamic" or "". ``interfaces`` and the like may hold wildcards
    (``*`` at the end). ``hosts`` are the addresses of its --dhcp-host, ``host_seconds`` their own lease
    times by MAC. ``stopped``: a signal or a debugger holds the process. ``unread`` is why a part
    of its configuration could not be read, or "".
    """

    pid: int
    namespace: str
    keeper: Keeper = Keeper.OTHER
    network: str = ""
    binding: str = ""
    interfaces: tuple[str, ...] = ()
    except_interfaces: tuple[str, ...] = ()
    no_dhcp_interfaces: tuple[str, ...] = ()
    listen: tuple[str, ...] = ()
    ranges: tuple[DhcpRange, ...] = ()
    relays: tuple[str, ...] = ()
    lease_file: str = ""
    authoritative: bool = False
    no_ping: bool = False
    ignores_unknown: bool = False
    port: int = 67
    hosts: frozenset[str] = frozenset()
    host_seconds: Mapping[str, int | None] = field(default_factory=dict)
    stopped: bool = False
    unread: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """A network that should have a server because its keeper says so.

    ``active`` False: it is to start with the host and does not run.
    """

    network: str
    keeper: Keeper
    namespace: str = HOST
    link: str = ""
    address: str = ""
    active: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """A lease as its server ``pid`` keeps it; ``mac`` is lower case.

    ``expires`` is seconds since the epoch, None never.
    """

    address: str
    mac: str
    expires: float | None
    pid: int = 0


class Layer(StrEnum):
    """How renewals were tried or watched."""

    UNICAST = "unicast"
    RENEW = "renew"
    PASSIVE = "passive"


class Outcome(StrEnum):
    """What a probe found."""

    OK = "ok"
    SPLIT = "split"  # some answered: the others reach another server
    DEAD = "dead"  # nobody answers what is sent to the server's address
    NAK = "nak"  # the server does not know the lease
    NO_OFFER = "no_offer"  # not even a first lease
    REBIND_ONLY = "rebind_only"  # the renewal was silent, the broadcast answered
    REPLY_PATH = "reply_path"  # a lease was given, then renewal and broadcast were silent
    SKIPPED = "skipped"  # not probed, for the reason in detail


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeReport:
    """One probe of one network. ``at`` is seconds since the epoch; latencies are in seconds, of the answers.

    ``server_pid`` is the process that was asked, where it is known: another one was not judged by this.
    ``timeline`` are the packets in a person's words, in their order.
    """

    network: str
    server: str
    layer: Layer
    at: float
    outcome: Outcome
    answered: int = 0
    asked: int = 0
    latencies: tuple[float, ...] = ()
    detail: str = ""
    server_pid: int | None = None
    timeline: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeTarget:
    """Where and how a network can be probed.

    ``namespace`` is HOST or a path (/run/netns/NAME, /proc/PID/ns/net) of the namespace that ``link`` is in.
    ``kind`` is "linux-bridge", "ovs-bridge" or "device"; ``vlan`` the OVS tag. ``avoid`` are addresses in
    use or promised.
    """

    network: str
    namespace: str
    link: str
    kind: str
    server: str
    prefix: str
    vlan: int | None = None
    server_pid: int | None = None
    avoid: frozenset[str] = frozenset()
    ignores_unknown: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Dhcp:
    """All of it. ``torn_leases`` counts lines of lease files that make no sense.

    ``probes`` are the last ones of each network and layer. ``unread`` are troubles of
    single sources that leave the rest readable, in an operator's words.
    """

    namespaces: tuple[Namespace, ...] = ()
    servers: tuple[Server, ...] = ()
    expected: tuple[Expected, ...] = ()
    leases: tuple[Lease, ...] = ()
    torn_leases: int = 0
    probes: tuple[ProbeReport, ...] = ()
    unread: tuple[str, ...] = ()

    def namespace(self, key: str) -> Namespace | None:
        """The namespace of this key."""
        return next((each for each in self.namespaces if each.key == key), None)
