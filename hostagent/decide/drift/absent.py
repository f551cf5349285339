"""Rows without a tap: stale, or dormant because a guest will come back for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hostagent.decide.drift.qos import libvirt_qos
from hostagent.decide.drift.report import port_finding
from hostagent.model.guests import DomainState
from hostagent.model.plan import Finding, Owner, Remedy, StepKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hostagent.decide.drift.world import World
    from hostagent.model.ports import OvsInterface, OvsPort

STALE, DORMANT, WRONG_BRIDGE = "OVS_PORT_STALE", "OVS_PORT_DORMANT", "OVS_PORT_WRONG_BRIDGE"


def find(world: World) -> Iterator[Finding]:
    """OVS_PORT_STALE, OVS_PORT_DORMANT and the stale form of OVS_PORT_WRONG_BRIDGE."""
    for port, interface in world.ports(Owner.LIBVIRT, Owner.LIBVIRT_NAMED, Owner.OS_VIF):
        if world.link(port.name) is not None or port.name in world.claims:
            continue
        owner = world.owners[port.name].owner
        if owner is Owner.OS_VIF:
            yield _plugged(world, port, interface)
        elif owner is Owner.LIBVIRT_NAMED and port.name in world.persistent_taps:
            domain = world.persistent_taps[port.name]
            detail = f"no tap {port.name}: the row waits for domain {domain.name} to start"
            yield port_finding(DORMANT, world, port, detail, domain=domain)
        else:
            yield from _stale(world, port, interface)


def _plugged(world: World, port: OvsPort, interface: OvsInterface) -> Finding:
    """os-vif's row: a SHUTOFF instance keeps it, a migration plugs it before the domain exists."""
    domain = world.domain_of(interface)
    if domain is not None:
        detail = f"no tap {port.name}: nova plugged it for domain {domain.name}, which is {domain.state}"
        return port_finding(DORMANT, world, port, detail, domain=domain)
    uuid = interface.external_ids["vm-uuid"]
    detail = (
        f"no tap {port.name}: nova plugged it for domain {uuid}, "
        "which libvirt does not know (gone, or on its way here)"
    )
    remedy = Remedy(kind=StepKind.DELETE_PORT, bridge=port.bridge, on_request=True)
    return port_finding(DORMANT, world, port, detail, remedy=remedy)


def _stale(world: World, port: OvsPort, interface: OvsInterface) -> Iterator[Finding]:
    domain = world.domain_of(interface)
    whose = (
        f"domain {domain.name}"
        if domain
        else f"domain {interface.external_ids['vm-id']}, which libvirt does not know"
    )
    qos, queues = libvirt_qos(world.ovs, port)
    remedy = Remedy(kind=StepKind.DELETE_PORT, bridge=port.bridge, qos=qos, queues=queues)
    detail = f"no tap {port.name} exists and no running domain claims it; the row was made for {whose}"
    yield port_finding(STALE, world, port, detail, domain=domain, remedy=remedy)
    if world.owners[port.name].owner is Owner.LIBVIRT and (failed := _kept_from_starting(world, port)):
        detail = (
            f"a stale row on {port.bridge}: a guest for another bridge that is given {port.name} can't start "
            f"({', '.join(failed)} failed to start)"
        )
        yield port_finding(WRONG_BRIDGE, world, port, detail, domain=domain, remedy=remedy)


def _kept_from_starting(world: World, port: OvsPort) -> list[str]:
    """Domains whose last start failed and whose XML wants another bridge, as "name for bridge"."""
    return sorted(
        f"{domain.name} for {interface.bridge}"
        for domain in world.domains.by_uuid.values()
        if domain.state is DomainState.SHUTOFF and domain.reason == "failed"
        for interface in domain.interfaces or domain.persistent_interfaces
        if interface.ovs and (wanted := world.bridge(interface.bridge)) and wanted.real != port.bridge
    )
