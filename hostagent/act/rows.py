"""Whole rows: everything that OVSDB has of a port at one instant, and what one action makes of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from hostagent.act.schema import Row, Schema, uuids

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hostagent.act.ovsdb import Operation, Result


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """A weak reference to a port, such as a Mirror's: it vanishes with the port's row."""

    table: str
    row: str
    column: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PortRows:
    """A port's rows and where they hang. ``bridge`` is its name, ``bridge_uuid`` its row's."""

    bridge: str
    bridge_uuid: str
    port: Row
    interfaces: tuple[Row, ...]
    references: tuple[Reference, ...] = ()

    @property
    def uuid(self) -> str:
        """The Port row's UUID."""
        return uuid_of(self.port)


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """One object's rows: a port, and the QoS and Queue rows (by UUID) that come and go with it.

    ``lent`` are QoS and Queue rows that the port uses and that stay: kept here in case somebody
    deletes them while nothing refers to them.
    """

    port: PortRows | None = None
    qos: Mapping[str, Row] = field(default_factory=dict)
    queues: Mapping[str, Row] = field(default_factory=dict)
    lent_qos: Mapping[str, Row] = field(default_factory=dict)
    lent_queues: Mapping[str, Row] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Transition:
    """What one action makes of one object. The same Port UUID on both sides is a change in place.

    Its undo is the same thing the other way round.
    """

    action: int
    name: str
    before: State
    after: State

    @property
    def in_place(self) -> bool:
        """Whether the port's row stays and only columns change."""
        old, new = self.before.port, self.after.port
        return old is not None and new is not None and old.uuid == new.uuid

    def concerns(self, words: str) -> bool:
        """Whether an error of OVSDB's names one of the rows."""
        ports = [each.port for each in (self.before, self.after) if each.port]
        rows = [row for each in ports for row in (each.port, *each.interfaces)]
        named = [uuid_of(row) for row in rows] + [*self.before.qos, *self.before.queues, f"({self.name})"]
        return any(each in words for each in named)

    @property
    def removes(self) -> PortRows | None:
        """The port's rows that go away."""
        return None if self.in_place else self.before.port

    @property
    def inserts(self) -> PortRows | None:
        """The port's rows that are made."""
        return None if self.in_place else self.after.port


@dataclass(frozen=True, slots=True, kw_only=True)
class Database:
    """The tables that repairs concern, as of one instant, by UUID; ports also by name."""

    schema: Schema
    tables: Mapping[str, Mapping[str, Row]]
    names: Mapping[str, str]
    homes: Mapping[str, str]  # Port UUID → Bridge UUID
    references: Mapping[str, tuple[Reference, ...]]  # by Port UUID

    def bridge(self, name: str) -> str | None:
        """The UUID of the bridge of this name."""
        return next((uuid for uuid, row in self.tables["Bridge"].items() if row["name"] == name), None)

    def port(self, name: str) -> PortRows | None:
        """Everything there is of the port of this name."""
        uuid = self.names.get(name)
        home = self.homes.get(uuid or "")
        if uuid is None or home is None:
            return None
        row = self.tables["Port"][uuid]
        return PortRows(
            bridge=self.tables["Bridge"][home]["name"],
            bridge_uuid=home,
            port=row,
            interfaces=tuple(self.tables["Interface"][each] for each in uuids(row["interfaces"])),
            references=self.references.get(uuid, ()),
        )

    def qos_of(self, port: PortRows) -> tuple[dict[str, Row], dict[str, Row]]:
        """The QoS that a port uses and the queues of that."""
        found = {uuid: self.tables["QoS"][uuid] for uuid in uuids(port.port["qos"])}
        queues = {
            queue: self.tables["Queue"][queue] for row in found.values() for queue in uuids(row["queues"])
        }
        return found, queues


def uuid_of(row: Row) -> str:
    """A row's own UUID."""
    uuid: str = row["_uuid"][1]
    return uuid


def selects(schema: Schema) -> list[Operation]:
    """The reading of all tables that repairs concern, in one transaction.

    Whole tables cost less than a question for each row: 500 ports are 0.5 MB.
    """
    return [
        {"op": "select", "table": table, "where": [], "columns": schema.lasting(table)}
        for table in _read(schema)
    ]


def _read(schema: Schema) -> list[str]:
    weak = {table for table, _ in schema.weak_references("Port")}
    return ["Open_vSwitch", "Bridge", "Port", "Interface", "QoS", "Queue", *sorted(weak - {"Bridge", "Port"})]


def database(schema: Schema, results: Sequence[Result]) -> Database:
    """The answer to ``selects``."""
    tables = {
        table: {uuid_of(row): row for row in result["rows"]}
        for table, result in zip(_read(schema), results, strict=True)
    }
    references: dict[str, tuple[Reference, ...]] = {}
    for table, column in schema.weak_references("Port"):
        for uuid, row in tables.get(table, {}).items():
            for port in uuids(row[column]):
                found = Reference(table=table, row=uuid, column=column)
                references[port] = (*references.get(port, ()), found)
    return Database(
        schema=schema,
        tables=tables,
        names={row["name"]: uuid for uuid, row in tables["Port"].items()},
        homes={port: uuid for uuid, row in tables["Bridge"].items() for port in uuids(row["ports"])},
        references=references,
    )


def state_to_json(state: State) -> dict[str, Any]:
    """A State as the journal holds it."""
    port = state.port
    return {
        "port": None
        if port is None
        else {
            "bridge": port.bridge,
            "bridge_uuid": port.bridge_uuid,
            "port": port.port,
            "interfaces": list(port.interfaces),
            "references": [[each.table, each.row, each.column] for each in port.references],
        },
        **{name: getattr(state, name) for name in _MAPS if getattr(state, name)},
    }


def state_from_json(raw: Mapping[str, Any]) -> State:
    """The reverse of ``state_to_json``."""
    port = raw["port"]
    return State(
        port=None
        if port is None
        else PortRows(
            bridge=port["bridge"],
            bridge_uuid=port["bridge_uuid"],
            port=port["port"],
            interfaces=tuple(port["interfaces"]),
            references=tuple(Reference(table=t, row=r, column=c) for t, r, c in port["references"]),
        ),
        **{name: raw[name] for name in _MAPS if name in raw},
    )


_MAPS = ("qos", "queues", "lent_qos", "lent_queues")
