"""What a host looks like after a plan was applied, by the meaning of each step alone."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from hostagent.model.host import Snapshot, Unavailable
from hostagent.model.plan import Plan, Step, StepKind
from hostagent.model.ports import DatapathPort, Links, OvsInterface, OvsPort, OvsQos

if TYPE_CHECKING:
    from hostagent.model.ports import Ovs


def apply(snapshot: Snapshot, plan: Plan) -> Snapshot:
    """Carry out every step on the data."""
    ovs, links = snapshot.ovs, snapshot.links
    vswitchd, sockets = snapshot.vswitchd, snapshot.packet_sockets
    if isinstance(ovs, Unavailable) or isinstance(links, Unavailable):
        raise TypeError("a plan needs both")
    if isinstance(vswitchd, Unavailable) or isinstance(sockets, Unavailable):
        raise TypeError("a plan needs both")
    ports, by_name = dict(ovs.ports), dict(links.by_name)
    qos, queues = dict(ovs.qos), dict(ovs.queues)
    datapath = {bridge: dict(found) for bridge, found in vswitchd.datapath.items()}
    listened = set(sockets)
    for step in plan.steps:
        old = ports.pop(step.name, None) if step.kind not in {StepKind.LINK_UP, StepKind.DELETE_TAP} else None
        if step.kind is StepKind.LINK_UP:
            by_name[step.name] = replace(by_name[step.name], up=True)
        elif step.kind is StepKind.DELETE_TAP:
            del by_name[step.name]
        elif step.kind in {StepKind.READD_PORT, StepKind.ADD_PORT, StepKind.SET_COLUMNS}:
            if step.limit:
                qos[f"made for {step.name}"] = OvsQos(uuid=f"made for {step.name}")
            ports[step.name] = _wished(step, old, by_name[step.name].ifindex)
            if step.kind is not StepKind.SET_COLUMNS:
                ofport = ports[step.name].interfaces[0].ofport or 0
                datapath[step.target_bridge][step.name] = DatapathPort(ofport=ofport, number=ofport, type="")
                listened.add(by_name[step.name].ifindex)
                if not _userspace(ovs, step):
                    master = by_name["ovs-system"].ifindex
                    by_name[step.name] = replace(by_name[step.name], master=master)
        for uuid in step.qos:
            qos.pop(uuid, None)
        for uuid in step.queues:
            queues.pop(uuid, None)
    return replace(
        snapshot,
        ovs=replace(ovs, ports=ports, qos=qos, queues=queues),
        links=Links(by_name=by_name),
        vswitchd=replace(vswitchd, datapath=datapath),
        packet_sockets=frozenset(listened),
    )


def _userspace(ovs: Ovs, step: Step) -> bool:
    return ovs.bridges[step.target_bridge].userspace


def _wished(step: Step, old: OvsPort | None, ifindex: int) -> OvsPort:
    if old is None:
        interface = OvsInterface(
            uuid=f"interface {step.name}", name=step.name, external_ids=step.external_ids
        )
        old = OvsPort(uuid=f"port {step.name}", name=step.name, bridge=step.bridge, interfaces=(interface,))
    of_port: dict[str, Any] = {
        c.path.split(".")[1]: c.new for c in step.changes if c.path.startswith("Port.")
    }
    of_row: dict[str, Any] = {
        c.path.split(".")[1]: c.new for c in step.changes if c.path.startswith("Interface.")
    }
    if step.limit:
        of_port["qos"] = f"made for {step.name}"
    if step.kind is not StepKind.SET_COLUMNS:
        of_row |= {"ofport": ifindex - 900, "error": "", "ifindex": ifindex}
    row = replace(old.interfaces[0], **of_row)
    return replace(old, bridge=step.target_bridge, interfaces=(row,), **of_port)
