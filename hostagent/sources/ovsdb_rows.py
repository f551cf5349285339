"""Rows of the Open_vSwitch database, as ovs.db.idl holds them → records. Pure.

ovs.db.idl gives an optional scalar as a list of none or one, a set as a list and a reference as the row.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hostagent.model.ports import Ovs, OvsBridge, OvsInterface, OvsPort, OvsQos, OvsQueue

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

# Without these no decision is sound: a database that lacks one can't be judged.
ESSENTIAL: Mapping[str, tuple[str, ...]] = {
    "Open_vSwitch": ("bridges", "other_config", "cur_cfg", "next_cfg"),
    "Bridge": ("name", "ports", "datapath_type", "external_ids"),
    "Port": ("name", "interfaces", "tag", "trunks", "vlan_mode", "qos", "external_ids", "other_config"),
    "Interface": (
        "name",
        "type",
        "ofport",
        "external_ids",
        "ingress_policing_rate",
        "ingress_policing_burst",
    ),
}
# Used where the schema has them.
OPTIONAL: Mapping[str, tuple[str, ...]] = {
    "Open_vSwitch": ("ovs_version", "external_ids"),
    "Port": ("fake_bridge",),
    "Interface": ("error", "ifindex", "status"),
    "QoS": ("type", "queues", "external_ids"),
    "Queue": ("external_ids",),
}


class RowsError(ValueError):
    """The database's content can't be understood."""


def columns_of(schema: Mapping[str, object]) -> dict[str, list[str]]:
    """The tables and columns to register, of those that this schema (RFC 7047, <database-schema>) has.

    Raises:
        RowsError: it lacks one that nothing can be decided without.
    """
    version = schema.get("version", "unknown")
    tables = schema.get("tables")
    if not isinstance(tables, dict):
        raise RowsError(f"its schema (version {version}) has no tables")
    wanted: dict[str, list[str]] = {}
    for table, names in ESSENTIAL.items():
        if table not in tables:
            raise RowsError(f"its schema (version {version}) has no table {table}")
        missing = [name for name in names if name not in tables[table]["columns"]]
        if missing:
            raise RowsError(f"its schema (version {version}) has no column {table}.{missing[0]}")
        wanted[table] = list(names)
    for table, names in OPTIONAL.items():
        present = [name for name in names if name in tables.get(table, {}).get("columns", ())]
        if present:
            wanted.setdefault(table, []).extend(present)
    return wanted


def parse_rows(tables: Mapping[str, Iterable[object]], schema_version: str) -> Ovs:
    """All rows by table → Ovs.

    Raises:
        RowsError: there is not exactly one Open_vSwitch row, as before ``ovs-vsctl init``: an empty
            database must not be taken for the truth.
    """
    roots = list(tables.get("Open_vSwitch", ()))
    if len(roots) != 1:
        raise RowsError(f"it has {len(roots)} Open_vSwitch rows instead of one (ovs-vsctl init)")
    root = roots[0]
    bridges: dict[str, OvsBridge] = {}
    ports: dict[str, OvsPort] = {}
    for row in tables.get("Bridge", ()):
        bridge = _bridge(row)
        bridges[bridge.name] = bridge
        for port_row in _many(row, "ports"):
            port = _port(port_row, bridge.name)
            ports[port.name] = port
    return Ovs(
        schema_version=schema_version,
        ovs_version=_one(root, "ovs_version") or "",
        bridges=bridges,
        ports=ports,
        qos={_uuid(row): _qos(row) for row in tables.get("QoS", ())},
        queues={
            _uuid(row): OvsQueue(uuid=_uuid(row), external_ids=_map(row, "external_ids"))
            for row in tables.get("Queue", ())
        },
        flow_restore_wait=_map(root, "other_config").get("flow-restore-wait") == "true",
        external_ids=_map(root, "external_ids"),
        cur_cfg=_number(root, "cur_cfg") or 0,
        next_cfg=_number(root, "next_cfg") or 0,
    )


def _bridge(row: object) -> OvsBridge:
    return OvsBridge(
        uuid=_uuid(row),
        name=_text(row, "name"),
        datapath_type=_text(row, "datapath_type"),
        external_ids=_map(row, "external_ids"),
    )


def _port(row: object, bridge: str) -> OvsPort:
    qos = next(iter(_many(row, "qos")), None)
    interfaces = (_interface(each) for each in _many(row, "interfaces"))
    return OvsPort(
        uuid=_uuid(row),
        name=_text(row, "name"),
        bridge=bridge,
        interfaces=tuple(sorted(interfaces, key=lambda each: each.name)),
        tag=_number(row, "tag"),
        trunks=tuple(sorted(int(str(vlan)) for vlan in _many(row, "trunks"))),
        vlan_mode=_one(row, "vlan_mode"),
        qos=None if qos is None else _uuid(qos),
        fake_bridge=_many(row, "fake_bridge") == [True],
        external_ids=_map(row, "external_ids"),
        other_config=_map(row, "other_config"),
    )


def _interface(row: object) -> OvsInterface:
    return OvsInterface(
        uuid=_uuid(row),
        name=_text(row, "name"),
        type=_text(row, "type"),
        ofport=_number(row, "ofport"),
        error=_one(row, "error") or "",
        ifindex=_number(row, "ifindex"),
        external_ids=_map(row, "external_ids"),
        status=_map(row, "status"),
        ingress_policing_rate=_number(row, "ingress_policing_rate") or 0,
        ingress_policing_burst=_number(row, "ingress_policing_burst") or 0,
    )


def _qos(row: object) -> OvsQos:
    queues: object = getattr(row, "queues", {})
    referenced = queues.values() if isinstance(queues, dict) else ()
    return OvsQos(
        uuid=_uuid(row),
        type=_text(row, "type"),
        queues=frozenset(_uuid(queue) for queue in referenced),
        external_ids=_map(row, "external_ids"),
    )


def _uuid(row: object) -> str:
    return str(getattr(row, "uuid", ""))


def _many(row: object, column: str) -> list[object]:
    value: object = getattr(row, column, None)
    if value is None:
        return []
    return list(value) if isinstance(value, list | tuple | set | frozenset) else [value]


def _one(row: object, column: str) -> str | None:
    for value in _many(row, column):
        return str(value)
    return None


def _text(row: object, column: str) -> str:
    return _one(row, column) or ""


def _number(row: object, column: str) -> int | None:
    text = _one(row, column)
    return None if text is None else int(text)


def _map(row: object, column: str) -> dict[str, str]:
    value: object = getattr(row, column, None)
    return {str(key): str(each) for key, each in value.items()} if isinstance(value, dict) else {}
