"""From Steps and the rows as they are now to Transitions, or the reason why a step no longer holds. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hostagent.act.rows import Database, PortRows, State, Transition, uuid_of
from hostagent.act.schema import Row, restorable, same, uuids
from hostagent.errors import ChangedError
from hostagent.model.plan import Step, StepKind

if TYPE_CHECKING:
    from collections.abc import Callable

    from hostagent.act.schema import Schema

OVSDB_KINDS = frozenset(StepKind) - {StepKind.LINK_UP, StepKind.DELETE_TAP}


def transition(action: int, step: Step, db: Database, new_uuid: Callable[[], str]) -> Transition:
    """What ``step`` makes of the rows.

    Raises:
        ChangedError: the rows are not what the step was decided on; the message says how.
    """
    if step.kind in {StepKind.DELETE_QOS, StepKind.DELETE_QUEUE}:
        before = State(qos=_unused(db, step, None), queues=_unused_queues(db, step))
        return Transition(action=action, name=step.object, before=before, after=State())
    current = db.port(step.name)
    if step.kind is StepKind.ADD_PORT:
        if current is not None:
            raise ChangedError(f"port {step.name} is on {current.bridge} by now")
        return Transition(action=action, name=step.name, before=State(), after=_added(step, db, new_uuid))
    if current is None:
        raise ChangedError(f"port {step.name} is gone")
    _check(step, current)
    gone_qos, gone_queues = _unused(db, step, current.uuid), _unused_queues(db, step)
    used_qos, used_queues = db.qos_of(current)
    before = State(
        port=current,
        qos=gone_qos,
        queues=gone_queues,
        lent_qos={uuid: row for uuid, row in used_qos.items() if uuid not in gone_qos},
        lent_queues={uuid: row for uuid, row in used_queues.items() if uuid not in gone_queues},
    )
    after = State() if step.kind is StepKind.DELETE_PORT else _changed(step, db, before, current, new_uuid)
    return Transition(action=action, name=step.name, before=before, after=after)


def _check(step: Step, current: PortRows) -> None:
    if step.port is not None and current.uuid != step.port:
        raise ChangedError(f"port {step.name} was deleted and made again by somebody else")
    if current.bridge != step.bridge:
        raise ChangedError(f"port {step.name} is on {current.bridge}, no longer on {step.bridge}")
    if len(current.interfaces) != 1 or (step.interface and uuid_of(current.interfaces[0]) != step.interface):
        raise ChangedError(f"port {step.name} has other interfaces now")
    sides = {"Port": current.port, "Interface": current.interfaces[0]}
    for path, value in step.expect.items():
        table, column = path.split(".", 1)
        if column in sides[table] and not same(sides[table][column], value):
            raise ChangedError(f"{path} of port {step.name} is no longer what was decided on")


def _changed(
    step: Step, db: Database, before: State, current: PortRows, new_uuid: Callable[[], str]
) -> State:
    """The rows after SET_COLUMNS (the same rows) or READD_PORT (new ones, perhaps on another bridge)."""
    schema = db.schema
    port, interface = dict(current.port), dict(current.interfaces[0])
    _set(schema, step, port, interface)
    qos, queues = _limit(schema, step, port, new_uuid)
    home, home_uuid = current.bridge, current.bridge_uuid
    if step.kind is StepKind.READD_PORT:
        if step.target_bridge not in {"", home}:
            home, home_uuid = step.target_bridge, _bridge(db, step.target_bridge)
        port, interface = fresh(schema, port, interface, new_uuid, keep_ofport=home == current.bridge)
    used = uuids(port["qos"])
    return State(
        port=PortRows(
            bridge=home,
            bridge_uuid=home_uuid,
            port=port,
            interfaces=(interface,),
            references=current.references if home == current.bridge else (),
        ),
        qos=qos,
        queues=queues,
        lent_qos={uuid: row for uuid, row in before.lent_qos.items() if uuid in used},
        lent_queues=before.lent_queues if any(uuid in before.lent_qos for uuid in used) else {},
    )


def fresh(
    schema: Schema, port: Row, interface: Row, new_uuid: Callable[[], str], *, keep_ofport: bool
) -> tuple[Row, Row]:
    """The rows again under new UUIDs, with what may be put back.

    vswitchd takes the ofport of a new row for a wish (iface_pick_ofport in vswitchd/bridge.c; measured with
    3.1), so that flows go on matching and no ofport_request stays behind.
    """
    interface_again = restorable(schema, "Interface", interface)
    interface_again["_uuid"] = ["uuid", new_uuid()]
    number = interface.get("ofport")
    if keep_ofport and isinstance(number, int) and number > 0:
        interface_again["ofport"] = number
    port_again = restorable(schema, "Port", port)
    port_again["_uuid"] = ["uuid", new_uuid()]
    port_again["interfaces"] = interface_again["_uuid"]
    return port_again, interface_again


def _added(step: Step, db: Database, new_uuid: Callable[[], str]) -> State:
    """A port as libvirt would make it, with everything at once: an untagged moment is a leak."""
    schema = db.schema
    interface: Row = {"_uuid": ["uuid", new_uuid()], "name": step.name}
    interface["external_ids"] = schema.encode("Interface", "external_ids", step.external_ids)
    port: Row = {"_uuid": ["uuid", new_uuid()], "name": step.name, "interfaces": interface["_uuid"]}
    _set(schema, step, port, interface)
    qos, queues = _limit(schema, step, port, new_uuid)
    bridge = step.target_bridge or step.bridge
    rows = PortRows(bridge=bridge, bridge_uuid=_bridge(db, bridge), port=port, interfaces=(interface,))
    return State(port=rows, qos=qos, queues=queues)


def _set(schema: Schema, step: Step, port: Row, interface: Row) -> None:
    sides = {"Port": port, "Interface": interface}
    for change in step.changes:
        table, column = change.path.split(".", 1)
        sides[table][column] = schema.encode(table, column, change.new)


def _limit(
    schema: Schema, step: Step, port: Row, new_uuid: Callable[[], str]
) -> tuple[dict[str, Row], dict[str, Row]]:
    """The QoS and its queue 0 for what the guest may receive, as libvirt makes them.

    virNetDevOpenvswitchInterfaceSetTxQos in src/util/virnetdevopenvswitch.c: linux-htb, the same
    figures on both rows, vm-id and ifname on QoS, Queue and Port.
    """
    if not step.limit:
        return {}, {}
    ids = {"ifname": step.name, "vm-id": step.external_ids.get("vm-id") or step.domain or ""}
    limits = schema.encode("Queue", "other_config", step.limit)
    marks = schema.encode("Queue", "external_ids", ids)
    queue, qos = new_uuid(), new_uuid()
    port["qos"] = ["uuid", qos]
    marked = dict(port.get("external_ids", ["map", []])[1]) | ids
    port["external_ids"] = schema.encode("Port", "external_ids", marked)
    queue_row: Row = {"_uuid": ["uuid", queue], "other_config": limits, "external_ids": marks}
    return {
        qos: {
            "_uuid": ["uuid", qos],
            "type": "linux-htb",
            "other_config": limits,
            "external_ids": marks,
            "queues": ["map", [[0, ["uuid", queue]]]],
        }
    }, {queue: queue_row}


def _bridge(db: Database, name: str) -> str:
    uuid = db.bridge(name)
    if uuid is None:
        raise ChangedError(f"bridge {name} is gone")
    return uuid


def _unused(db: Database, step: Step, port: str | None) -> dict[str, Row]:
    """The QoS rows that go with the step, as far as no other port uses them."""
    if not step.qos:
        return {}
    used = {qos for uuid, row in db.tables["Port"].items() if uuid != port for qos in uuids(row["qos"])}
    found = {
        uuid: db.tables["QoS"][uuid] for uuid in step.qos if uuid in db.tables["QoS"] and uuid not in used
    }
    if step.kind is StepKind.DELETE_QOS and not found:
        raise ChangedError(f"QoS {step.object} is gone or in use by now")
    return found


def _unused_queues(db: Database, step: Step) -> dict[str, Row]:
    if not step.queues:
        return {}
    used = {
        queue
        for uuid, row in db.tables["QoS"].items()
        if uuid not in step.qos
        for queue in uuids(row["queues"])
    }
    found = {
        uuid: db.tables["Queue"][uuid]
        for uuid in step.queues
        if uuid in db.tables["Queue"] and uuid not in used
    }
    if step.kind is StepKind.DELETE_QUEUE and not found:
        raise ChangedError(f"queue {step.object} is gone or in use by now")
    return found
