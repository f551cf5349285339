"""Layer lease: how much of their leases running guests have left.

A client renews at half of its lease, and asks everybody at 87.5 % (RFC 2131 section 4.4.5, T1 and T2).
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network
from typing import TYPE_CHECKING

from hostagent.decide.dhcp.findings import OVERDUE, DhcpFinding, found
from hostagent.model.dhcp import HOST
from hostagent.model.guests import DomainState
from hostagent.model.plan import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from hostagent.decide.dhcp.networks import Network
    from hostagent.model.dhcp import Dhcp, Lease
    from hostagent.model.guests import Domain, Domains, GuestInterface

WARN_SHARE, CRIT_SHARE = 0.4, 0.125  # of the lease's time that is left
_RUNNING = frozenset({DomainState.RUNNING, DomainState.BLOCKED})
_SHOWN = 5


def judge_leases(
    dhcp: Dhcp, served: Sequence[Network], domains: Domains, now: float
) -> Iterator[DhcpFinding]:
    """One finding for each network that has overdue leases of running guests; ``now`` in epoch seconds."""
    late_by_id = overdue(dhcp, served, domains, now)
    for network in served:
        if late := late_by_id.get(network.id):
            worst = late[0][0]
            severity = Severity.CRIT if worst < CRIT_SHARE else Severity.WARN
            shown = [f"{name} {address} {_percent(share)}" for share, address, name in late[:_SHOWN]]
            more = f" and {len(late) - _SHOWN} more" if len(late) > _SHOWN else ""
            words = f"not renewed when due: {', '.join(shown)}{more} (hostagent dhcp probe {network.name})"
            yield found(OVERDUE, network, severity, words)


def overdue(
    dhcp: Dhcp, served: Sequence[Network], domains: Domains, now: float
) -> dict[str, list[tuple[float, str, str]]]:
    """By network: the share that is left, address and guest of each overdue lease, the worst first."""
    guests = _guests(domains)
    found = {}
    for network in served:
        late = sorted(
            (share, lease.address, domain.name)
            for lease in dhcp.leases
            for domain in _holders(lease, network, guests)
            if (share := left(lease, network, now)) is not None and share < WARN_SHARE
        )
        if late:
            found[network.id] = late
    return found


def left(lease: Lease, network: Network, now: float) -> float | None:
    """The share of a lease that is left, below 0 when it has expired; None where it is for ever."""
    seconds = _seconds(lease, network)
    if lease.expires is None or seconds is None:
        return None
    return (lease.expires - now) / seconds


def _seconds(lease: Lease, network: Network) -> int | None:
    own = network.server.host_seconds
    if lease.mac in own:
        return own[lease.mac]
    # A fixed address outside of every range gets the time of its network's (dnsmasq, narrow_context()).
    address = IPv4Address(lease.address)
    for each in network.ranges:
        if each.last and IPv4Address(each.first) <= address <= IPv4Address(each.last):
            return each.lease_seconds
    return network.ranges[0].lease_seconds


def _guests(domains: Domains) -> Mapping[str, list[tuple[Domain, GuestInterface]]]:
    found_by_mac: dict[str, list[tuple[Domain, GuestInterface]]] = {}
    for domain in domains.live():
        if domain.state in _RUNNING:
            for interface in domain.interfaces:
                if interface.link_up:
                    found_by_mac.setdefault(interface.mac, []).append((domain, interface))
    return found_by_mac


def _holders(
    lease: Lease, network: Network, guests: Mapping[str, list[tuple[Domain, GuestInterface]]]
) -> list[Domain]:
    """The running guests that a lease of this network belongs to."""
    if lease.pid != network.server.pid or IPv4Address(lease.address) not in IPv4Network(network.prefix):
        return []
    bridge = network.link.name if network.namespace == HOST and network.link.kind == "bridge" else None
    return [
        domain
        for domain, interface in guests.get(lease.mac, ())
        if bridge is None or interface.bridge in {None, bridge}
    ]


def _percent(share: float) -> str:
    return f"{share:.0%} left" if share > 0 else "expired"
