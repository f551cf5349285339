"""Transitions → the operations of the two transactions. Pure.

The first removes and changes, after it has made sure that every row is as it was read; the second
adds back what was removed. vswitchd knows ports by name, not by row: removed and added in one
transaction, a port would stay just as it is.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from hostagent.act.ovsdb import LOCK, Operation
from hostagent.act.rows import Database, PortRows, State, Transition, uuid_of
from hostagent.act.schema import Raw, Row, Schema, plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

ASSERT: Operation = {"op": "assert", "lock": LOCK}
APPLIED: list[Operation] = [
    {"op": "mutate", "table": "Open_vSwitch", "where": [], "mutations": [["next_cfg", "+=", 1]]},
    {"op": "select", "table": "Open_vSwitch", "where": [], "columns": ["next_cfg"]},
]
DURABLE: Operation = {"op": "commit", "durable": True}


def until_applied(number: int, seconds: float) -> Operation:
    """Wait until vswitchd has applied all up to next_cfg ``number``.

    The server itself waits (RFC 7047, 5.2.6), so that the answer comes the moment vswitchd says so.
    """
    return {
        "op": "wait",
        "timeout": int(seconds * 1000),
        "table": "Open_vSwitch",
        "where": [["cur_cfg", "<", number]],
        "columns": ["cur_cfg"],
        "until": "==",
        "rows": [],
    }


def late(transitions: Sequence[Transition]) -> tuple[Transition, ...]:
    """The transitions whose port must wait for the second transaction: its name is removed in the first."""
    removed = {each.name for each in transitions if each.removes}
    return tuple(each for each in transitions if each.inserts and each.name in removed)


def first(transitions: Sequence[Transition], db: Database, *, chosen: bool) -> list[Operation]:
    """Check every row, remove, change in place, and add what need not wait."""
    waiting = {each.action for each in late(transitions)}
    operations = [ASSERT, *_waits(transitions, db)]
    at_once = [each for each in transitions if each.action not in waiting]
    operations += add(at_once, db.schema, chosen=chosen, absent=missing(at_once, db))
    leaving: dict[str, list[Raw]] = defaultdict(list)
    for each in transitions:
        if rows := each.removes:
            leaving[rows.bridge_uuid].append(rows.port["_uuid"])
    operations += [_mutate("Bridge", uuid, "ports", "delete", ports) for uuid, ports in leaving.items()]
    # A port is garbage-collected too late to let go of the QoS that is deleted with it.
    holders = [rows for each in transitions if each.before.qos and (rows := each.removes)]
    operations += [_delete("Port", rows.uuid) for rows in holders]
    for table in ("QoS", "Queue"):
        operations += [_delete(table, uuid) for each in transitions for uuid in _gone(each, table)]
    return [*operations, *APPLIED]


def second(
    transitions: Sequence[Transition], schema: Schema, *, chosen: bool, absent: frozenset[str]
) -> list[Operation]:
    """Add back. ``absent`` are UUIDs of lent QoS and Queue rows that somebody deleted meanwhile.

    On disk before it counts: a power cut after it must not find the first transaction alone.
    """
    homes = {rows.bridge_uuid: rows.bridge for each in transitions if (rows := each.inserts)}
    waits = [_wait("Bridge", uuid, {"name": name}) for uuid, name in homes.items()]
    return [ASSERT, *waits, *add(transitions, schema, chosen=chosen, absent=absent), *APPLIED, DURABLE]


def add(
    transitions: Iterable[Transition], schema: Schema, *, chosen: bool, absent: frozenset[str]
) -> list[Operation]:
    """Insert and update: QoS and queues, then ports, then what refers to them."""
    transitions = list(transitions)
    inserts: list[tuple[str, Row]] = []
    for each in transitions:
        new, old = each.after, each.before
        inserts += [("Queue", row) for uuid, row in new.queues.items() if uuid not in old.queues]
        inserts += [("Queue", row) for uuid, row in new.lent_queues.items() if uuid in absent]
        inserts += [("QoS", row) for uuid, row in new.qos.items() if uuid not in old.qos]
        inserts += [("QoS", row) for uuid, row in new.lent_qos.items() if uuid in absent]
        if rows := each.inserts:
            inserts += [("Interface", row) for row in rows.interfaces]
            inserts.append(("Port", rows.port))
    inserts = list({uuid_of(row): (table, row) for table, row in inserts}.values())
    names = {} if chosen else {uuid_of(row): f"row{number}" for number, (_, row) in enumerate(inserts)}
    operations = [_insert(table, row, names) for table, row in inserts]
    for each in transitions:
        if each.in_place:
            operations += _updates(schema, each, names)
    arriving: dict[str, list[Raw]] = defaultdict(list)
    for each in transitions:
        if rows := each.inserts:
            arriving[rows.bridge_uuid].append(_named(rows.port["_uuid"], names))
    operations += [_mutate("Bridge", uuid, "ports", "insert", ports) for uuid, ports in arriving.items()]
    for each in transitions:
        if rows := each.inserts:
            operations += _refer(schema, rows, _named(rows.port["_uuid"], names))
    return operations


def _waits(transitions: Iterable[Transition], db: Database) -> Iterator[Operation]:
    """Every column that will be deleted, put back or changed must still be what was read."""
    homes: dict[tuple[str, str], list[Raw]] = defaultdict(list)
    mirrors: set[tuple[str, str]] = set()
    for each in transitions:
        if rows := each.before.port:
            homes[rows.bridge_uuid, rows.bridge].append(rows.port["_uuid"])
            yield _unchanged("Port", rows.port, db.schema)
            for row in rows.interfaces:
                yield _unchanged("Interface", row, db.schema)
            mirrors |= {(reference.table, reference.row) for reference in rows.references}
        for table, lot in (("QoS", each.before.qos), ("Queue", each.before.queues)):
            for row in lot.values():
                yield _unchanged(table, row, db.schema)
        if (added := each.inserts) and not each.before.port:
            homes[added.bridge_uuid, added.bridge] += []
    for (uuid, name), ports in homes.items():
        clause = [["ports", "includes", ["set", ports]]] if ports else []
        yield _wait("Bridge", uuid, {"name": name}, clause)
    for table, uuid in sorted(mirrors):
        yield _unchanged(table, db.tables[table][uuid], db.schema)


def _unchanged(table: str, row: Row, schema: Schema) -> Operation:
    columns = schema.configured(table)
    return _wait(table, uuid_of(row), {name: row[name] for name in columns if name in row})


def _wait(table: str, uuid: str, row: Row, clause: Sequence[Raw] = ()) -> Operation:
    """Fail at once unless the row still has these values (RFC 7047, 5.2.6)."""
    return {
        "op": "wait",
        "timeout": 0,
        "table": table,
        "where": [["_uuid", "==", ["uuid", uuid]], *clause],
        "columns": list(row),
        "until": "==",
        "rows": [row],
    }


def _mutate(table: str, uuid: str, column: str, mutator: str, values: list[Raw]) -> Operation:
    where = [["_uuid", "==", ["uuid", uuid]]]
    return {"op": "mutate", "table": table, "where": where, "mutations": [[column, mutator, ["set", values]]]}


def _delete(table: str, uuid: str) -> Operation:
    return {"op": "delete", "table": table, "where": [["_uuid", "==", ["uuid", uuid]]]}


def _gone(each: Transition, table: str) -> list[str]:
    old, new = (
        (each.before.qos, each.after.qos) if table == "QoS" else (each.before.queues, each.after.queues)
    )
    return [uuid for uuid in old if uuid not in new]


def _insert(table: str, row: Row, names: Mapping[str, str]) -> Operation:
    uuid = uuid_of(row)
    body = {
        name: _named(value, names) for name, value in row.items() if name != "_uuid" and value not in _EMPTY
    }
    identity = {"uuid-name": names[uuid]} if uuid in names else {"uuid": uuid}
    return {"op": "insert", "table": table, **identity, "row": body}


_EMPTY = (["set", []], ["map", []])


def _named(raw: Raw, names: Mapping[str, str]) -> Raw:
    """``raw`` with rows of this same transaction by name, for a server that does not let one choose UUIDs."""
    if not names or not isinstance(raw, list):
        return raw
    if len(raw) == 2 and raw[0] == "uuid":
        return ["named-uuid", names[raw[1]]] if raw[1] in names else raw
    return [_named(each, names) for each in raw]


def _updates(schema: Schema, each: Transition, names: Mapping[str, str]) -> Iterator[Operation]:
    for table, old, new in pairs(each.before, each.after):
        configured = schema.configured(table)
        changed = {
            name: _named(value, names)
            for name, value in new.items()
            if name in configured and (name not in old or plain(old[name]) != plain(value))
        }
        if changed:
            where = [["_uuid", "==", old["_uuid"]]]
            yield {"op": "update", "table": table, "where": where, "row": changed}


def pairs(before: State, after: State) -> Iterator[tuple[str, Row, Row]]:
    """(table, old row, new row) of a port on both sides."""
    if before.port and after.port:
        yield "Port", before.port.port, after.port.port
        for old, new in zip(before.port.interfaces, after.port.interfaces, strict=False):
            yield "Interface", old, new


def _refer(schema: Schema, rows: PortRows, port: Raw) -> Iterator[Operation]:
    """Mirror membership again; an output_port that somebody has set meanwhile stays."""
    for each in rows.references:
        if schema.tables[each.table][each.column].single:
            where = [["_uuid", "==", ["uuid", each.row]], [each.column, "==", ["set", []]]]
            yield {"op": "update", "table": each.table, "where": where, "row": {each.column: port}}
        else:
            yield _mutate(each.table, each.row, each.column, "insert", [port])


def missing(transitions: Iterable[Transition], db: Database) -> frozenset[str]:
    """The lent QoS and Queue rows that are gone, although the ports to come need them."""
    lent = {uuid for each in transitions for uuid in (*each.after.lent_qos, *each.after.lent_queues)}
    return frozenset(lent - db.tables["QoS"].keys() - db.tables["Queue"].keys())
