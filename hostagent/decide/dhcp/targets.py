"""Where each network can be probed: the place that its guests are plugged into."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network
from typing import TYPE_CHECKING

from hostagent.decide.dhcp.networks import Network, networks
from hostagent.model.dhcp import HOST, ProbeTarget
from hostagent.model.host import Unavailable

if TYPE_CHECKING:
    from hostagent.model.dhcp import Dhcp, DhcpRange
    from hostagent.model.host import Reading
    from hostagent.model.ports import Links, Ovs

_MOST_OF_RANGES = 4096  # addresses; larger networks have room enough beside their leases
_NEUTRON_PEERS = (("ns-", "tap"),)  # of the Linux bridge agent: the server's end, and the bridge's


def targets(dhcp: Dhcp, ovs: Reading[Ovs], links: Reading[Links]) -> tuple[ProbeTarget, ...]:
    """One for each network that is served."""
    return tuple(_target(dhcp, each, ovs, links) for each in networks(dhcp))


def _target(dhcp: Dhcp, network: Network, ovs: Reading[Ovs], links: Reading[Links]) -> ProbeTarget:
    namespace, link, kind, vlan = _plug(network, ovs, links)
    return ProbeTarget(
        network=network.name,
        namespace=namespace,
        link=link,
        kind=kind,
        vlan=vlan,
        server=network.address,
        prefix=network.prefix,
        server_pid=network.server.pid,
        avoid=_avoid(dhcp, network),
        ignores_unknown=network.server.ignores_unknown,
    )


def _plug(network: Network, ovs: Reading[Ovs], links: Reading[Links]) -> tuple[str, str, str, int | None]:
    """Namespace, link, kind and VLAN of the place where a guest's port would be."""
    name = network.link.name
    if network.link.kind == "bridge":
        return network.namespace, name, "linux-bridge", None
    port = None if isinstance(ovs, Unavailable) else ovs.ports.get(name)
    if port is not None:  # an internal port, which may have been moved into the server's namespace
        return HOST, port.bridge, "ovs-bridge", port.tag
    bridge = _bridge_of_peer(name, links)
    if bridge:
        return HOST, bridge, "linux-bridge", None
    return network.namespace, name, "device", None


def _bridge_of_peer(name: str, links: Reading[Links]) -> str:
    if isinstance(links, Unavailable):
        return ""
    for inner, outer in _NEUTRON_PEERS:
        peer = links.by_name.get(outer + name.removeprefix(inner)) if name.startswith(inner) else None
        if peer is not None and peer.master is not None:
            return next((each.name for each in links.by_name.values() if each.ifindex == peer.master), "")
    return ""


def _avoid(dhcp: Dhcp, network: Network) -> frozenset[str]:
    """Addresses in use or promised; whole ranges too, as long as some address is left beside them."""
    inside = IPv4Network(network.prefix)
    used = {each.address for each in dhcp.leases if IPv4Address(each.address) in inside}
    used |= {each for each in network.server.hosts if IPv4Address(each) in inside}
    used |= {network.address, str(inside.network_address), str(inside.broadcast_address)}
    handed_out = {address for each in network.ranges for address in _addresses(each)}
    if handed_out and len(used | handed_out) < inside.num_addresses:
        used |= handed_out
    return frozenset(used)


def _addresses(given: DhcpRange) -> set[str]:
    if not given.last:
        return set()
    first, last = int(IPv4Address(given.first)), int(IPv4Address(given.last))
    if not 0 <= last - first < _MOST_OF_RANGES:
        return set()
    return {str(IPv4Address(number)) for number in range(first, last + 1)}
