"""Taps, duplicate ids, and what OVN, neutron, vhost-user and the OVS start script own: mostly reports."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from hostagent.decide.drift.owners import GENERATED
from hostagent.decide.drift.report import finding, port_finding
from hostagent.model.guests import DomainState
from hostagent.model.plan import Finding, Owner, Remedy, StepKind

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from hostagent.decide.drift.world import World
    from hostagent.model.guests import Domains
    from hostagent.model.ports import Flows, Ovs, OvsInterface, OvsPort

DEAD_VLAN = 4095  # neutron's DEAD_VLAN_TAG (neutron_lib/plugins/ml2/ovs_constants.py)
LOCAL_PORT = 65534  # OFPP_LOCAL, the bridge's own port (OpenFlow 1.0, 5.2.1)
_OURS = (Owner.LIBVIRT, Owner.LIBVIRT_NAMED)


def duplicates(world: World) -> Iterator[Finding]:
    """OVS_IFACE_ID_DUPLICATE: OVN may claim either row. Only libvirt's generated row without a tap may go."""
    rows: dict[str, list[OvsPort]] = defaultdict(list)
    for name, port in sorted(world.ovs.ports.items()):
        for each in port.interfaces:
            if "iface-id" in each.external_ids and world.owners[name].owner is not Owner.IGNORED:
                rows[each.external_ids["iface-id"]].append(port)
    for iface_id, ports in sorted(rows.items()):
        if len(ports) < 2:
            continue
        alive = any(world.link(port.name) for port in ports)
        for port in ports:
            others = ", ".join(other.object_id for other in ports if other is not port)
            dead = world.link(port.name) is None and port.name not in world.claims
            ours = world.owners[port.name].owner is Owner.LIBVIRT
            remedy = (
                Remedy(kind=StepKind.DELETE_PORT, bridge=port.bridge) if dead and alive and ours else None
            )
            detail = f"iface-id {iface_id} is also on {others}" + ("; this row has no tap" if dead else "")
            yield port_finding("OVS_IFACE_ID_DUPLICATE", world, port, detail, remedy=remedy)


def orphan_taps(world: World, holders: Mapping[str, tuple[int, ...]]) -> Iterator[Finding]:
    """OVS_TAP_ORPHAN: a tap of ours that no domain claims and no process holds open."""
    ours = {port.name for port, _ in world.ports(*_OURS)}
    for name, link in sorted(world.links.by_name.items()):
        if not link.tap or name in world.claims or holders.get(name) or name in world.persistent_taps:
            continue
        if GENERATED.match(name) or name in ours:
            detail = (
                f"tap {name} (ifindex {link.ifindex}) belongs to no running domain and no process holds it"
            )
            remedy = Remedy(kind=StepKind.DELETE_TAP, on_request=True)
            yield finding("OVS_TAP_ORPHAN", name, detail, identity=(str(link.ifindex),), remedy=remedy)


def down_taps(world: World) -> Iterator[Finding]:
    """OVS_TAP_DOWN: administratively down although the XML does not say so."""
    for tap, claim in sorted(world.claims.items()):
        link, port = world.link(tap), world.ovs.ports.get(tap)
        if link is None or link.up or port is None or not claim.interface.link_up:
            continue
        owner = world.owners[tap].owner
        if claim.domain.state is not DomainState.RUNNING or owner is Owner.IGNORED:
            continue
        remedy = Remedy(kind=StepKind.LINK_UP, bridge=port.bridge) if owner in _OURS else None
        detail = (
            f"tap {tap} of running domain {claim.domain.name} is down; its XML does not say link state='down'"
        )
        yield port_finding("OVS_TAP_DOWN", world, port, detail, domain=claim.domain, remedy=remedy)


def ovn_not_installed(world: World) -> Iterator[Finding]:
    """OVN_PORT_NOT_INSTALLED: ovn-controller has not wired a running guest's port (ovn-controller(8))."""
    if not {"ovn-remote", "ovn-encap-ip"} & world.ovs.external_ids.keys():
        return
    integration = world.ovs.external_ids.get("ovn-bridge", "br-int")
    for port, interface, detail in _running(world):
        ids = interface.external_ids
        if port.bridge == integration and "iface-id" in ids and ids.get("ovn-installed") != "true":
            yield port_finding(
                "OVN_PORT_NOT_INSTALLED",
                world,
                port,
                f"{detail}: OVN has not wired iface-id {ids['iface-id']}",
            )


def dead_vlan(world: World) -> Iterator[Finding]:
    """NEUTRON_PORT_DEAD_VLAN: neutron isolated a running guest and never came back."""
    for port, _, detail in _running(world):
        if port.tag == DEAD_VLAN:
            yield port_finding(
                "NEUTRON_PORT_DEAD_VLAN",
                world,
                port,
                f"{detail}: tag 4095, neutron's mark for a port it has not wired",
            )


def _running(world: World) -> Iterator[tuple[OvsPort, OvsInterface, str]]:
    every = (Owner.LIBVIRT, Owner.LIBVIRT_NAMED, Owner.OS_VIF, Owner.OTHER)
    for port, interface in world.ports(*every):
        claim = world.claims.get(port.name)
        if claim is not None and claim.domain.state is DomainState.RUNNING:
            yield port, interface, f"{port.name} of running domain {claim.domain.name}"


def vhost(ovs: Ovs, domains: Domains) -> Iterator[Finding]:
    """OVS_VHOST_DISCONNECTED: a running guest's vhost-user socket has no peer."""
    claimed = {
        interface.tap: domain
        for domain in domains.live()
        for interface in domain.interfaces
        if interface.kind == "vhostuser"
    }
    for name, port in sorted(ovs.ports.items()):
        for interface in port.interfaces:
            if (
                not interface.type.startswith("dpdkvhostuser")
                or interface.status.get("status") != "disconnected"
            ):
                continue
            ids = interface.external_ids
            domain = claimed.get(name) or domains.by_uuid.get(ids.get("vm-uuid") or ids.get("vm-id", ""))
            if domain is not None and domain.live and domain.state is DomainState.RUNNING:
                detail = f"vhost-user port {name} of running domain {domain.name} is disconnected"
                yield finding(
                    "OVS_VHOST_DISCONNECTED", port.object_id, detail, identity=(port.uuid, domain.uuid)
                )


def orphan_flows(ovs: Ovs, flows: Flows) -> Iterator[Finding]:
    """OVS_FLOW_ORPHAN: rules that match on a port number no port of the bridge has."""
    for bridge, counts in sorted(flows.in_ports.items()):
        known = {
            each.ofport for port in ovs.ports.values() if port.bridge == bridge for each in port.interfaces
        }
        for number, rules in sorted(counts.items()):
            if number not in known and number != LOCAL_PORT:
                detail = f"{rules} rules of {bridge} match in_port={number}, which no port has"
                yield finding("OVS_FLOW_ORPHAN", f"{bridge}/{number}", detail, identity=(bridge, str(number)))


def transient_trap(ovs: Ovs, options: str) -> Iterator[Finding]:
    """OVS_TRANSIENT_TRAP: ovs-ctl --delete-transient-ports unplugs running guests at any restart."""
    if "--delete-transient-ports" not in options.split():
        return
    for _, port in sorted(ovs.ports.items()):
        if port.other_config.get("transient") == "true":
            detail = (
                "transient=true, and OVS_CTL_OPTS has --delete-transient-ports: an OVS restart unplugs it"
            )
            yield finding("OVS_TRANSIENT_TRAP", port.object_id, detail, identity=(port.uuid,))
