"""Which networks a server serves: its ranges, joined with the addresses of the links that it may use."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, ip_interface
from typing import TYPE_CHECKING

from hostagent.model.dhcp import HOST, DhcpLink, DhcpRange, Server

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hostagent.model.dhcp import Dhcp, Namespace


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """A network with its server: the object that checks speak of.

    ``address`` is the server's in it, ``prefix`` the network's ("10.77.1.0/24").
    """

    name: str
    namespace: str
    link: DhcpLink
    address: str
    prefix: str
    server: Server
    ranges: tuple[DhcpRange, ...]

    @property
    def id(self) -> str:
        """Stable as long as the network is: no process id in it."""
        return f"{self.name}/{self.address}"


def networks(dhcp: Dhcp) -> tuple[Network, ...]:
    """Every network that is served, in the order of their names."""
    found = [
        each
        for server in dhcp.servers
        if (namespace := dhcp.namespace(server.namespace)) is not None
        for each in _served(server, namespace)
    ]
    return tuple(sorted(found, key=lambda each: (each.name, each.address)))


def name_of(namespace: Namespace, link: str) -> str:
    """What a network without a name of its own is called."""
    return link if namespace.key == HOST else f"{namespace.name}:{link}"


def may_use(server: Server, name: str, address: str) -> bool:
    """Whether a server gives DHCP on a link by this name and address (dnsmasq's iface_check())."""
    if name == "lo" or _matches(name, server.no_dhcp_interfaces):
        return False
    if address in server.listen:
        return True
    if _matches(name, server.except_interfaces):
        return False
    return _matches(name, server.interfaces) or not (server.interfaces or server.listen)


def _served(server: Server, namespace: Namespace) -> Iterator[Network]:
    for link in namespace.links:
        for text in link.addresses:
            own = ip_interface(text)
            address = str(own.ip)
            ranges = tuple(each for each in server.ranges if _belongs(each, text))
            if ranges and may_use(server, link.name, address):
                yield Network(
                    name=server.network or name_of(namespace, link.name),
                    namespace=namespace.key,
                    link=link,
                    address=address,
                    prefix=str(own.network),
                    server=server,
                    ranges=ranges,
                )


def _belongs(given: DhcpRange, address: str) -> bool:
    """Whether a range is of the network that an interface's address is in."""
    own = ip_interface(address)
    mask = given.netmask or str(own.netmask)
    try:
        return own.ip in IPv4Network((given.first, mask), strict=False)
    except ValueError:  # a netmask that is none
        return IPv4Address(given.first) in own.network


def _matches(name: str, patterns: tuple[str, ...]) -> bool:
    return any(name.startswith(each[:-1]) if each.endswith("*") else name == each for each in patterns)
