"""What no real node can show. A generator that makes such hosts tests nothing."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from hostagent.model.host import Unavailable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from hostagent.model.guests import Domains
    from hostagent.model.host import Snapshot
    from hostagent.model.ports import Links, Ovs


class ImpossibleHostError(ValueError):
    """Says what contradicts what."""


def must_be_possible(snapshot: Snapshot) -> None:
    """Raise ImpossibleHostError unless a real node could show this."""
    ovs, links, domains = snapshot.ovs, snapshot.links, snapshot.domains
    if isinstance(ovs, Unavailable) or isinstance(links, Unavailable) or isinstance(domains, Unavailable):
        return
    faults = [*_rows(ovs), *_links(snapshot, links), *_guests(domains, links)]
    if faults:
        raise ImpossibleHostError("; ".join(faults))


def _twice(what: str, values: Iterable[object]) -> Iterator[str]:
    yield from (f"{what} {value} twice" for value, count in Counter(values).items() if count > 1)


def _rows(ovs: Ovs) -> Iterator[str]:
    interfaces = [each for port in ovs.ports.values() for each in port.interfaces]
    yield from _twice("interface", (each.name for each in interfaces))
    yield from _twice("row", [port.uuid for port in ovs.ports.values()] + [each.uuid for each in interfaces])
    on_bridge = [(port.bridge, each.ofport) for port in ovs.ports.values() for each in port.interfaces]
    yield from _twice("ofport", (pair for pair in on_bridge if pair[1] is not None and pair[1] >= 0))
    for port in ovs.ports.values():
        if port.bridge not in ovs.bridges:
            yield f"{port.name} is on {port.bridge}, which does not exist"
        if port.tag is not None and not 0 <= port.tag <= 4095:
            yield f"{port.name} has tag {port.tag}; the schema allows 0 to 4095"
        if any(not 0 <= vlan <= 4095 for vlan in port.trunks):
            yield f"{port.name} has trunks {port.trunks}; the schema allows 0 to 4095"
        if not port.interfaces:
            yield f"{port.name} has no interface; the schema wants at least one"
        if port.qos is not None and port.qos not in ovs.qos:
            yield f"{port.name} references QoS {port.qos}, which does not exist"
    for row in ovs.qos.values():
        yield from (f"QoS {row.uuid} references queue {q}" for q in sorted(row.queues - ovs.queues.keys()))


def _links(snapshot: Snapshot, links: Links) -> Iterator[str]:
    yield from _twice("ifindex", (link.ifindex for link in links.by_name.values()))
    indexes = {link.ifindex for link in links.by_name.values()}
    for name, link in links.by_name.items():
        if name != link.name or not 0 < len(name.encode()) < 16:
            yield f"link {name} is called {link.name}, or has a name that the kernel refuses"
        if link.master is not None and link.master not in indexes:
            yield f"{name} has master {link.master}, which does not exist"
    if not isinstance(snapshot.packet_sockets, Unavailable):
        yield from (f"a packet socket on ifindex {i}" for i in sorted(snapshot.packet_sockets - indexes))
    if not isinstance(snapshot.tap_holders, Unavailable):
        for name in snapshot.tap_holders:
            if name not in links.by_name:
                yield f"a process holds tap {name}, which does not exist"


def _guests(domains: Domains, links: Links) -> Iterator[str]:
    yield from _twice("domain", (each.name for each in domains.by_uuid.values()))
    live = [nic.tap for each in domains.live() for nic in each.interfaces if nic.tap]
    yield from _twice("live tap", live)
    for uuid, domain in domains.by_uuid.items():
        if uuid != domain.uuid:
            yield f"domain {domain.name} is filed under {uuid}"
        if domain.live is (domain.state.value in {"shutoff", "crashed"}):
            yield f"domain {domain.name} is live={domain.live} and {domain.state}"
        for nic in domain.interfaces if domain.live else ():
            link = links.by_name.get(nic.tap or "")
            if link is not None and not link.tap and nic.kind == "bridge":
                yield f"{nic.tap} of domain {domain.name} is no tap"
