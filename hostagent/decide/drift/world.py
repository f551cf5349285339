"""One Snapshot's rows, links and domains joined once, so that every detector asks and none searches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hostagent.decide.drift.owners import Ownership, ownership
from hostagent.model.host import Snapshot, Unavailable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from hostagent.model.guests import Domain, Domains, GuestInterface
    from hostagent.model.plan import Owner
    from hostagent.model.ports import Link, Links, Ovs, OvsInterface, OvsPort


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A live domain's interface that names a tap."""

    domain: Domain
    interface: GuestInterface


@dataclass(frozen=True, slots=True, kw_only=True)
class BridgeSpec:
    """A bridge as XML names it: the OVS bridge that has the ports and the VLAN a fake bridge implies."""

    real: str
    tag: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """The joined view; only made of a Snapshot whose ``ovs``, ``links`` and ``domains`` were read."""

    snapshot: Snapshot
    ovs: Ovs
    links: Links
    domains: Domains
    claims: Mapping[str, Claim]
    persistent_taps: Mapping[str, Domain]
    owners: Mapping[str, Ownership]

    def ports(self, *owners: Owner) -> Iterator[tuple[OvsPort, OvsInterface]]:
        """The one-interface ports of these owners, by name."""
        for name, port in sorted(self.ovs.ports.items()):
            if self.owners[name].owner in owners and len(port.interfaces) == 1:
                yield port, port.interfaces[0]

    def link(self, name: str) -> Link | None:
        """The kernel's link of this name."""
        return self.links.by_name.get(name)

    def bridge(self, name: str | None) -> BridgeSpec | None:
        """The OVS bridge that ``name`` stands for; None if OVS has none of that name."""
        if name is None:
            return None
        if name in self.ovs.bridges:
            return BridgeSpec(real=name, tag=None)
        port = self.ovs.ports.get(name)
        if port is not None and port.fake_bridge:
            return BridgeSpec(real=port.bridge, tag=port.tag)
        return None

    def domain_of(self, interface: OvsInterface) -> Domain | None:
        """The domain that the row's ids name, if libvirt knows it."""
        ids = interface.external_ids
        return self.domains.by_uuid.get(ids.get("vm-uuid") or ids.get("vm-id", ""))


def join(snapshot: Snapshot) -> World | None:
    """Join the three core sections, or None when one of them was not read."""
    ovs, links, domains = snapshot.ovs, snapshot.links, snapshot.domains
    if isinstance(ovs, Unavailable) or isinstance(links, Unavailable) or isinstance(domains, Unavailable):
        return None
    claims = {
        interface.tap: Claim(domain=domain, interface=interface)
        for domain in domains.live()
        for interface in domain.interfaces
        if interface.tap
    }
    persistent = {
        interface.tap: domain
        for domain in domains.by_uuid.values()
        for interface in (*domain.persistent_interfaces, *(() if domain.live else domain.interfaces))
        if interface.tap
    }
    owners = {}
    for name, port in ovs.ports.items():
        claim = claims.get(name)
        owners[name] = ownership(
            port,
            bridge=ovs.bridges.get(port.bridge),
            link=links.by_name.get(name),
            claim=None if claim is None else (claim.domain, claim.interface),
            domains=domains.by_uuid,
        )
    return World(
        snapshot=snapshot,
        ovs=ovs,
        links=links,
        domains=domains,
        claims=claims,
        persistent_taps=persistent,
        owners=owners,
    )
