"""Running guests' ports that are not where, or not what, the live XML says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hostagent.decide.drift.codes import CODES
from hostagent.decide.drift.expected import limit, policing, policing_changes, vlan_changes, vlan_columns
from hostagent.decide.drift.owners import GENERATED
from hostagent.decide.drift.qos import left_over, libvirt_qos, made_by_libvirt
from hostagent.decide.drift.report import finding, port_finding
from hostagent.model.guests import Manager
from hostagent.model.plan import Change, Finding, Owner, Remedy, StepKind, Value

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hostagent.decide.drift.world import BridgeSpec, Claim, World
    from hostagent.model.ports import OvsInterface, OvsPort

MISSING, WRONG_BRIDGE, INHERITED, BRIDGE_MISSING = (
    "OVS_PORT_MISSING",
    "OVS_PORT_WRONG_BRIDGE",
    "OVS_PORT_INHERITED",
    "OVS_BRIDGE_MISSING",
)


def find(world: World) -> Iterator[Finding]:
    """OVS_BRIDGE_MISSING, OVS_PORT_MISSING, OVS_PORT_WRONG_BRIDGE and OVS_PORT_INHERITED."""
    for tap, claim in sorted(world.claims.items()):
        if claim.interface.kind not in {"bridge", "network"} or claim.interface.bridge is None:
            continue
        wanted = world.bridge(claim.interface.bridge)
        if wanted is None:
            yield from _bridge_missing(world, tap, claim)
        elif claim.interface.ovs and tap not in world.ovs.ports:
            yield _missing(world, tap, claim, wanted)
    for port, interface in world.ports(Owner.LIBVIRT, Owner.LIBVIRT_NAMED):
        if (found := world.claims.get(port.name)) is not None:
            yield from _wrong_bridge(world, port, found)
            yield from _inherited(world, port, interface, found)


def _bridge_missing(world: World, tap: str, claim: Claim) -> Iterator[Finding]:
    name = claim.interface.bridge or ""
    link = world.link(name)
    if claim.interface.ovs or link is None or link.kind not in {"bridge", "openvswitch"}:
        detail = f"running domain {claim.domain.name} names bridge {name} for {tap}, which OVS does not have"
        yield finding(BRIDGE_MISSING, f"{name}/{tap}", detail, identity=(claim.domain.uuid,))


def _missing(world: World, tap: str, claim: Claim, wanted: BridgeSpec) -> Finding:
    interface, domain = claim.interface, claim.domain
    bridge = wanted.real
    link = world.link(tap)
    detail = f"{tap} of running domain {domain.name} is on no bridge; its XML says {interface.bridge}"
    remedy, held = None, ""
    foreign = sorted(domain.managers & {Manager.OVIRT, Manager.OPENNEBULA})
    generated = GENERATED.match(tap) is not None
    if link is None:
        held = f"tap {tap} does not exist: only a restart of the guest brings it back"
    elif foreign:
        held = f"{foreign[0]} runs this domain and adds its ports"
    else:
        remedy = _add(world, wanted, claim, tap, on_request=not generated and interface.vlan is None)
    return Finding(
        code=MISSING,
        object=f"{bridge}/{tap}",
        name=tap,
        detail=detail,
        severity=CODES[MISSING].severity,
        owner=Owner.LIBVIRT if generated else Owner.LIBVIRT_NAMED,
        identity=(domain.uuid, "" if link is None else str(link.ifindex)),
        domain=domain.uuid,
        remedy=remedy,
        held=held,
    )


def _add(world: World, wanted: BridgeSpec, claim: Claim, tap: str, *, on_request: bool) -> Remedy:
    """Everything libvirt would set, at once: a port without its VLAN for a moment is a leak.

    A QoS that libvirt made for this tap is taken up again, as libvirt itself does at a start.
    Given names often get their VLAN from outside, so that a row without one is a person's decision.
    """
    interface = claim.interface
    vlan = vlan_columns(interface.vlan, wanted.tag)
    rate, burst = policing(interface.bandwidth)
    limits = limit(interface.bandwidth)
    qos = left_over(world.ovs, claim.domain.uuid, tap) if limits else None
    columns: tuple[tuple[str, Value], ...] = (
        ("Port.tag", vlan.tag),
        ("Port.trunks", vlan.trunks),
        ("Port.vlan_mode", vlan.vlan_mode),
        ("Port.qos", qos),
        ("Port.external_ids", {"ifname": tap, "vm-id": claim.domain.uuid} if qos else None),
        ("Interface.ingress_policing_rate", rate),
        ("Interface.ingress_policing_burst", burst),
    )
    ids = {"attached-mac": interface.mac, "vm-id": claim.domain.uuid, "iface-status": "active"}
    if interface.interface_id is not None:
        ids["iface-id"] = interface.interface_id
    return Remedy(
        kind=StepKind.ADD_PORT,
        bridge=wanted.real,
        changes=tuple(Change(path=path, old=None, new=new) for path, new in columns if new),
        external_ids=ids,
        limit={} if qos else limits,
        on_request=on_request,
    )


def _wrong_bridge(world: World, port: OvsPort, claim: Claim) -> Iterator[Finding]:
    wanted = world.bridge(claim.interface.bridge)
    if wanted is None or wanted.real == port.bridge:
        return
    detail = (
        f"{port.name} of running domain {claim.domain.name} is on {port.bridge}; its XML says {wanted.real}"
    )
    remedy = Remedy(kind=StepKind.READD_PORT, bridge=wanted.real)
    yield port_finding(WRONG_BRIDGE, world, port, detail, domain=claim.domain, remedy=remedy)


def _inherited(world: World, port: OvsPort, row: OvsInterface, claim: Claim) -> Iterator[Finding]:
    """Columns that differ from the live XML; for given names only what the XML states explicitly."""
    wanted = world.bridge(claim.interface.bridge)
    if wanted is None:
        return
    whole = world.owners[port.name].owner is Owner.LIBVIRT
    xml = claim.interface
    changes: list[Change] = []
    if whole or xml.vlan is not None:
        changes += vlan_changes(port, vlan_columns(xml.vlan, wanted.tag))
    if whole or xml.bandwidth.outbound is not None:
        changes += policing_changes(row, xml.bandwidth)
    qos = _foreign_qos(world, port, claim, whole=whole)
    changes += qos
    if not changes:
        return
    gone_qos, gone_queues = libvirt_qos(world.ovs, port) if qos else ((), ())
    other = _earlier_guest(world, port, claim)
    if (ids := _ids_change(port, claim)) is not None:
        changes.append(ids)
    words = ", ".join(
        f"{each.path.split('.')[1]} {_say(each.old)}, XML says {_say(each.new)}"
        for each in changes
        if each.path != "Port.external_ids"
    )
    whose = f" (left by domain {other})" if other else ""
    explicit = xml.vlan is not None or xml.bandwidth.outbound is not None
    remedy = Remedy(
        kind=StepKind.SET_COLUMNS,
        bridge=port.bridge,
        changes=tuple(changes),
        limit=limit(xml.bandwidth) if qos else {},
        qos=gone_qos,
        queues=gone_queues,
        witnessed=bool(other) or explicit,
    )
    detail = f"running domain {claim.domain.name} has columns that its XML does not name: {words}{whose}"
    yield port_finding(INHERITED, world, port, detail, domain=claim.domain, remedy=remedy)


def _foreign_qos(world: World, port: OvsPort, claim: Claim, *, whole: bool) -> list[Change]:
    """The port's QoS, if libvirt made it for another guest or for bandwidth that the XML no longer has."""
    row = world.ovs.qos.get(port.qos or "")
    if row is None or not made_by_libvirt(row.external_ids):
        return []
    same_domain = row.external_ids["vm-id"] == claim.domain.uuid
    if same_domain and (claim.interface.bandwidth.inbound is not None or not whole):
        return []
    return [Change(path="Port.qos", old=port.qos, new=None)]


def _ids_change(port: OvsPort, claim: Claim) -> Change | None:
    """libvirt writes vm-id and ifname on the Port only with bandwidth; an earlier guest's stay behind."""
    owner = port.external_ids.get("vm-id")
    if owner is None or owner == claim.domain.uuid:
        return None
    kept = {key: value for key, value in port.external_ids.items() if key not in {"vm-id", "ifname"}}
    return Change(path="Port.external_ids", old=dict(port.external_ids), new=kept)


def _earlier_guest(world: World, port: OvsPort, claim: Claim) -> str:
    """The name or UUID of another domain whose id is still on the row: the positive witness."""
    qos = world.ovs.qos.get(port.qos or "")
    rows = [port.external_ids, *([] if qos is None else [qos.external_ids])]
    for uuid in (row.get("vm-id") for row in rows):
        if uuid is not None and uuid != claim.domain.uuid:
            domain = world.domains.by_uuid.get(uuid)
            return uuid if domain is None else domain.name
    return ""


def _say(value: Value) -> str:
    """A column's value for a person: unset things are "none"."""
    if isinstance(value, tuple):
        return ",".join(str(each) for each in value) or "none"
    return "none" if value in (None, 0) else str(value)
