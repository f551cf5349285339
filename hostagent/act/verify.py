"""Did it happen? Judged on the rows and on what vswitchd and the kernel made of them. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hostagent.act.operations import pairs
from hostagent.act.schema import differences
from hostagent.model.host import Unavailable

if TYPE_CHECKING:
    from hostagent.act.rows import Database, PortRows, State, Transition
    from hostagent.decide.drift.world import World


def unfit(each: Transition, db: Database, world: World) -> str:
    """What is not yet as the transition wished, in an operator's words, or ""."""
    for table, old, new in (
        ("QoS", each.before.qos, each.after.qos),
        ("Queue", each.before.queues, each.after.queues),
    ):
        if left := [uuid for uuid in old if uuid not in new and uuid in db.tables[table]]:
            return f"{table} {left[0]} is still there"
    if each.after.port is not None:
        return _present(each.after, each.after.port, db, world)
    if each.before.port is not None:
        return _absent(each.before.port, each.name, db, world)
    return ""


def _present(wished: State, rows: PortRows, db: Database, world: World) -> str:
    name = rows.port["name"]
    current = db.port(name)
    if current is None:
        return f"port {name} is not in OVSDB"
    if current.bridge != rows.bridge:
        return f"port {name} is on {current.bridge}, not on {rows.bridge}"
    for table, recorded, now in pairs(wished, type(wished)(port=current)):
        if found := differences(table, db.schema, recorded, now):
            return f"port {name} was changed by somebody else: {'; '.join(found)}"
    lost = [
        each for each in rows.references if each.row in db.tables[each.table] and not _holds(each, current)
    ]
    if lost:
        return f"port {name} is not back in {lost[0].table} {lost[0].row}, {lost[0].column}"
    return _served(name, rows, world)


def _holds(reference: object, current: PortRows) -> bool:
    return reference in current.references


def _served(name: str, rows: PortRows, world: World) -> str:
    """Whether vswitchd forwards for the port; a port whose device does not exist can't be served."""
    link = world.link(name)
    interface = rows.interfaces[0]
    if link is None or interface.get("type", "") not in {"", "system"}:
        return ""
    vswitchd, sockets = world.snapshot.vswitchd, world.snapshot.packet_sockets
    if isinstance(vswitchd, Unavailable):
        return f"port {name} could not be verified: {vswitchd.reason}"
    forwarding = vswitchd.datapath.get(rows.bridge, {}).get(name)
    if forwarding is None:
        return f"vswitchd's datapath has no port {name}"
    wished = interface.get("ofport")
    if isinstance(wished, int) and wished > 0 and forwarding.ofport != wished:
        return f"port {name} has OpenFlow number {forwarding.ofport}, it had {wished}: flows may not match"
    bridge = world.ovs.bridges.get(rows.bridge)
    if bridge is not None and bridge.userspace and link.tap:
        if isinstance(sockets, Unavailable):
            return f"port {name} could not be verified: {sockets.reason}"
        if link.ifindex not in sockets:
            return f"vswitchd does not listen on tap {name} (ifindex {link.ifindex})"
    return ""


def _absent(rows: PortRows, name: str, db: Database, world: World) -> str:
    current = db.port(name)
    if current is not None:
        return f"port {name} is still in OVSDB" if current.uuid == rows.uuid else ""
    vswitchd = world.snapshot.vswitchd
    if isinstance(vswitchd, Unavailable):
        return f"port {name} could not be verified: {vswitchd.reason}"
    if name in vswitchd.datapath.get(rows.bridge, {}):
        return f"vswitchd's datapath still has port {name}"
    return ""


def wanted_back(each: Transition, db: Database, world: World) -> bool:
    """Whether a port that was deleted belongs to a running guest after all, which started meanwhile."""
    if each.after.port is not None or each.before.port is None or db.port(each.name) is not None:
        return False
    return world.link(each.name) is not None and each.name in world.claims
