"""A small OVSDB: the schema's shape with a column that this version does not know, and rows by name."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Any
from uuid import UUID

from hostagent.act.rows import Database, database
from hostagent.act.schema import Row, Schema, parse
from hostagent.model.plan import Owner, Step, StepKind

if TYPE_CHECKING:
    from hostagent.act.ovsdb import Operation

STRINGS = {"key": "string", "value": "string", "min": 0, "max": "unlimited"}


def refers(table: str, *, weak: bool = False, most: Any = "unlimited", least: int = 0) -> dict[str, Any]:
    kind = {"type": "uuid", "refTable": table} | ({"refType": "weak"} if weak else {})
    return {"key": kind, "min": least, "max": most}


COLUMNS: dict[str, dict[str, Any]] = {
    "Open_vSwitch": {"next_cfg": "integer", "cur_cfg": "integer"},
    "Bridge": {"name": "string", "ports": refers("Port"), "mirrors": refers("Mirror")},
    "Port": {
        "name": "string",
        "interfaces": refers("Interface", least=1),
        "qos": refers("QoS", most=1),
        "tag": {"key": {"type": "integer"}, "min": 0, "max": 1},
        "trunks": {"key": {"type": "integer"}, "min": 0, "max": 4096},
        "external_ids": STRINGS,
        "future": {"key": "string", "min": 0, "max": 1},
        "bond_active_slave": {"key": "string", "min": 0, "max": 1},
    },
    "Interface": {
        "name": "string",
        "type": "string",
        "ofport": {"key": "integer", "min": 0, "max": 1},
        "error": {"key": "string", "min": 0, "max": 1},
        "external_ids": STRINGS,
        "ingress_policing_rate": {"key": {"type": "integer", "minInteger": 0}},
    },
    "QoS": {
        "type": "string",
        "external_ids": STRINGS,
        "other_config": STRINGS,
        "queues": {"key": "integer", "value": {"type": "uuid", "refTable": "Queue"}, "min": 0, "max": 9},
    },
    "Queue": {"external_ids": STRINGS, "other_config": STRINGS},
    "Mirror": {
        "name": "string",
        "select_src_port": refers("Port", weak=True),
        "output_port": refers("Port", weak=True, most=1),
    },
}
_EPHEMERAL = {"Interface": {"statistics": {"type": STRINGS, "ephemeral": True}}}
SCHEMA: Schema = parse(
    {
        "version": "99.0.0",
        "tables": {
            table: {
                "columns": {name: {"type": kind} for name, kind in columns.items()}
                | _EPHEMERAL.get(table, {})
            }
            for table, columns in COLUMNS.items()
        },
    }
)


def uuid(name: str) -> str:
    """A UUID that is always the same for a name."""
    return str(UUID(bytes=name.encode()[:16].ljust(16, b"\0")))


def ref(name: str) -> list[str]:
    return ["uuid", uuid(name)]


def port(name: str, **columns: Any) -> Row:
    empty = {"qos": ["set", []], "tag": ["set", []], "trunks": ["set", []], "external_ids": ["map", []]}
    empty |= {"future": ["set", []], "bond_active_slave": ["set", []]}
    return {"_uuid": ref(f"P {name}"), "name": name, "interfaces": ref(f"I {name}")} | empty | columns


def interface(name: str, **columns: Any) -> Row:
    empty = {"type": "", "ofport": 3, "error": ["set", []], "external_ids": ["map", []]}
    return {"_uuid": ref(f"I {name}"), "name": name, "ingress_policing_rate": 0} | empty | columns


def db(bridges: dict[str, list[Row]], *, interfaces: tuple[Row, ...] = (), **tables: list[Row]) -> Database:
    """A database; interfaces that are not given are made for their ports."""
    ports = [row for each in bridges.values() for row in each]
    given = {row["name"] for row in interfaces}
    found: dict[str, list[Row]] = {
        "Open_vSwitch": [{"_uuid": ref("O"), "next_cfg": 1, "cur_cfg": 1}],
        "Bridge": [
            {"_uuid": ref(f"B {name}"), "name": name, "ports": ["set", [row["_uuid"] for row in rows]]}
            for name, rows in bridges.items()
        ],
        "Port": ports,
        "Interface": [*interfaces, *(interface(row["name"]) for row in ports if row["name"] not in given)],
        "QoS": [],
        "Queue": [],
        "Mirror": [],
    }
    found |= tables
    return database(SCHEMA, [{"rows": rows} for rows in found.values()])


def step(kind: StepKind, name: str, bridge: str = "br-int", **fields: Any) -> Step:
    known: dict[str, Any] = {
        "object": f"{bridge}/{name}",
        "codes": ("OVS_PORT_STALE",),
        "reason": "because",
        "undo": "the reverse",
        "owner": Owner.LIBVIRT,
        "bridge": bridge,
    }
    if kind is not StepKind.ADD_PORT:
        known |= {"port": uuid(f"P {name}"), "interface": uuid(f"I {name}")}
    return Step(kind=kind, name=name, **known | fields)


class NewUuids:
    """new-1, new-2, … as UUIDs."""

    def __init__(self) -> None:
        self._numbers = count(1)

    def __call__(self) -> str:
        return uuid(f"new-{next(self._numbers)}")


def of(operations: list[Operation], op: str, table: str = "") -> list[Operation]:
    """The operations of one kind."""
    return [each for each in operations if each["op"] == op and (not table or each["table"] == table)]
