"""The way back: recorded transitions turned round on today's rows, or what is in the way. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from hostagent.act.build import fresh
from hostagent.act.operations import pairs
from hostagent.act.rows import PortRows, State, Transition
from hostagent.act.schema import Row, differences, uuids
from hostagent.errors import ChangedError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from hostagent.act.rows import Database


def reverse(
    recorded: Transition, db: Database, new_uuid: Callable[[], str], *, action: int, leaving: frozenset[str]
) -> Transition:
    """The transition that leads back. ``leaving`` are ports that other parts of the same undo remove.

    Raises:
        ChangedError: the rows are not as the action left them; the message says exactly what has changed.
    """
    current = db.port(recorded.name)
    _as_left(recorded, db)
    old = recorded.before
    if recorded.after.port is None:
        if old.port is not None and current is not None and recorded.name not in leaving:
            raise ChangedError(f"port {recorded.name} exists again, on {current.bridge}")
        before = State()
    else:
        if current is None:
            raise ChangedError(f"port {recorded.name} is gone")
        before = State(
            port=current,
            qos=_now("QoS", recorded.after.qos, db),
            queues=_now("Queue", recorded.after.queues, db),
        )
    after = State(
        port=None if old.port is None else _back(old.port, before.port, db, new_uuid),
        qos=_absent("QoS", old.qos, db),
        queues=_absent("Queue", old.queues, db),
        lent_qos=old.lent_qos,
        lent_queues=old.lent_queues,
    )
    return Transition(action=action, name=recorded.name, before=before, after=after)


def _back(old: PortRows, current: PortRows | None, db: Database, new_uuid: Callable[[], str]) -> PortRows:
    """The old rows: on the rows that are there, or as new ones where the port is elsewhere or nowhere."""
    home = db.bridge(old.bridge)
    if home is None:
        raise ChangedError(f"bridge {old.bridge} is gone")
    if current is not None and current.bridge == old.bridge:
        port = old.port | {name: current.port[name] for name in ("_uuid", "interfaces")}
        interface = old.interfaces[0] | {"_uuid": current.interfaces[0]["_uuid"]}
    else:
        port, interface = fresh(db.schema, old.port, old.interfaces[0], new_uuid, keep_ofport=True)
    return replace(old, bridge_uuid=home, port=port, interfaces=(interface,))


def _as_left(recorded: Transition, db: Database) -> None:
    """Raise ChangedError unless everything is as the action left it."""
    left = recorded.after
    found: list[str] = []
    current = db.port(recorded.name)
    if left.port is not None and current is not None:
        if current.bridge != left.port.bridge:
            found.append(f"port {recorded.name} is on {current.bridge}, was on {left.port.bridge}")
        for table, old, new in pairs(left, State(port=current)):
            found += differences(table, db.schema, old, new)
        qos = set(uuids(current.port["qos"]))
        if qos != set(uuids(left.port.port.get("qos"))):
            found.append(f"Port.qos: {', '.join(qos) or 'unset'}")
    for table, lot in (("QoS", left.qos), ("Queue", left.queues)):
        for uuid, row in lot.items():
            if uuid not in db.tables[table]:
                found.append(f"{table} {uuid} is gone")
            else:
                found += differences(table, db.schema, row, db.tables[table][uuid])
    if found:
        raise ChangedError(f"{recorded.name} has changed since: {'; '.join(found)}")


def _now(table: str, lot: Mapping[str, Row], db: Database) -> dict[str, Row]:
    return {uuid: db.tables[table][uuid] for uuid in lot if uuid in db.tables[table]}


def _absent(table: str, lot: Mapping[str, Row], db: Database) -> dict[str, Row]:
    return {uuid: row for uuid, row in lot.items() if uuid not in db.tables[table]}
