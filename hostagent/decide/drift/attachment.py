"""Running guests' ports that vswitchd does not serve: errored, unattached, or deaf."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hostagent.decide.drift.report import port_finding
from hostagent.model.host import Unavailable
from hostagent.model.plan import Finding, Owner, Remedy, StepKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hostagent.decide.drift.world import Claim, World
    from hostagent.model.ports import Link, OvsInterface, OvsPort, Vswitchd

ERROR, UNATTACHED, DEAD_RX, FOREIGN = (
    "OVS_PORT_ERROR",
    "OVS_PORT_UNATTACHED",
    "OVS_PORT_DEAD_RX",
    "OVS_PORT_FOREIGN_ERROR",
)
_MANAGED = (Owner.LIBVIRT, Owner.LIBVIRT_NAMED, Owner.OS_VIF, Owner.OTHER)


def errored(interface: OvsInterface) -> str:
    """What vswitchd says is wrong with the row, or ""."""
    if interface.error:
        return interface.error
    if interface.ofport is None:
        return "vswitchd has given it no port number"
    return "vswitchd could not open it (ofport -1)" if interface.ofport < 0 else ""


def find(world: World) -> Iterator[Finding]:
    """OVS_PORT_ERROR, OVS_PORT_UNATTACHED, OVS_PORT_DEAD_RX: at most one per port, the plainest first."""
    vswitchd = world.snapshot.vswitchd
    sockets = world.snapshot.packet_sockets
    for port, interface in world.ports(*_MANAGED):
        claim = world.claims.get(port.name)
        if claim is None or interface.type not in {"", "system"}:
            continue
        link = world.link(port.name)
        if link is None:
            detail = (
                f"tap {port.name} of running domain {claim.domain.name} is gone; only a restart of the guest "
                "or attaching its interface again brings it back"
            )
            yield port_finding(ERROR, world, port, detail, domain=claim.domain)
        elif isinstance(vswitchd, Unavailable):
            continue
        elif words := errored(interface):
            yield _of(ERROR, world, port, claim, f"port of running domain {claim.domain.name}: {words}")
        elif words := _unattached(world, port, link, vswitchd):
            yield _of(UNATTACHED, world, port, claim, words)
        elif not isinstance(sockets, Unavailable) and _deaf(world, port, link, sockets):
            detail = (
                f"vswitchd does not listen on tap {port.name} (ifindex {link.ifindex}): what domain "
                f"{claim.domain.name} sends is lost although OVSDB shows no error"
            )
            yield _of(DEAD_RX, world, port, claim, detail)


def _of(code: str, world: World, port: OvsPort, claim: Claim, detail: str) -> Finding:
    """Re-adding keeps every column, so it is right for libvirt's rows; for os-vif's when a person asks."""
    owner = world.owners[port.name].owner
    remedy = None
    if owner is not Owner.OTHER:
        remedy = Remedy(kind=StepKind.READD_PORT, bridge=port.bridge, on_request=owner is Owner.OS_VIF)
    return port_finding(code, world, port, detail, domain=claim.domain, remedy=remedy)


def _unattached(world: World, port: OvsPort, link: Link, vswitchd: Vswitchd) -> str:
    """Kernel datapath only: the tap must be a port of ovs-system and of vswitchd's datapath."""
    bridge = world.ovs.bridges.get(port.bridge)
    if bridge is None or bridge.userspace:
        return ""
    datapath = world.link("ovs-system")
    if link.master is None or (datapath is not None and link.master != datapath.ifindex):
        return f"tap {port.name} is not attached to the kernel datapath (its master is not ovs-system)"
    if port.name not in vswitchd.datapath.get(port.bridge, {}):
        return f"vswitchd's datapath has no port {port.name}"
    return ""


def _deaf(world: World, port: OvsPort, link: Link, sockets: frozenset[int]) -> bool:
    bridge = world.ovs.bridges.get(port.bridge)
    return bridge is not None and bridge.userspace and link.tap and link.ifindex not in sockets


def find_foreign(world: World) -> Iterator[Finding]:
    """OVS_PORT_FOREIGN_ERROR: vswitchd reports an error on a row that is not ours: never touched."""
    for name, port in sorted(world.ovs.ports.items()):
        owned = world.owners[name]
        if owned.owner is Owner.IGNORED or name in world.claims:
            continue
        absent = world.link(name) is None
        if owned.owner is not Owner.OTHER and (absent or owned.owner is not Owner.OS_VIF):
            continue
        for interface in port.interfaces:
            if words := errored(interface):
                yield port_finding(FOREIGN, world, port, f"{owned.whose}: {interface.name}: {words}")
