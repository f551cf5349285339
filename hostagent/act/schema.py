"""OVSDB's schema as far as putting rows back needs it: types, what vswitchd writes, who refers to whom."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from hostagent.model.plan import Value

Raw: TypeAlias = Any  # a value in RFC 7047's notation, as json gave it
Row: TypeAlias = dict[str, Raw]  # column → value, with _uuid

# What vswitchd reports rather than obeys (ovs-vswitchd.conf.db(5)). Most of it is ephemeral in the
# schema of today; this list also holds for schemas that do not mark it.
_REPORTED: Mapping[str, frozenset[str]] = {
    "Interface": frozenset(
        {
            *("admin_state", "bfd_status", "cfm_fault", "cfm_fault_status", "cfm_flap_count", "cfm_health"),
            *("cfm_remote_mpids", "cfm_remote_opstate", "duplex", "error", "ifindex", "lacp_current"),
            *(
                "link_resets",
                "link_speed",
                "link_state",
                "mac_in_use",
                "mtu",
                "ofport",
                "statistics",
                "status",
            ),
        }
    ),
    "Port": frozenset({"bond_active_slave", "rstp_statistics", "rstp_status", "statistics", "status"}),
    "Mirror": frozenset({"statistics"}),
}
NEVER_RESTORED = "ovn-installed"  # and ovn-installed-ts: ovn-controller alone may say so


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """``refers`` is the table that its UUIDs name, ``weak`` as in RFC 7047, 3.2."""

    kind: str
    is_map: bool = False
    optional: bool = False
    single: bool = True
    refers: str = ""
    weak: bool = False
    ephemeral: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Schema:
    """Tables → columns, as the running ovsdb-server has them."""

    version: str
    tables: Mapping[str, Mapping[str, Column]]

    def lasting(self, table: str) -> list[str]:
        """The columns that survive a restart of ovsdb-server, _uuid first: what a row is read as."""
        return ["_uuid", *(name for name, column in self.tables[table].items() if not column.ephemeral)]

    def configured(self, table: str) -> list[str]:
        """The columns that people and managers set: what is put back, and what must not have changed."""
        reported = _REPORTED.get(table, frozenset())
        columns = self.tables[table].items()
        return [name for name, column in columns if not column.ephemeral and name not in reported]

    def weak_references(self, target: str) -> list[tuple[str, str]]:
        """(table, column) of everything that refers to ``target`` weakly, and so forgets a deleted row."""
        return [
            (table, name)
            for table, columns in self.tables.items()
            for name, column in columns.items()
            if column.refers == target and column.weak
        ]

    def encode(self, table: str, column: str, value: Value) -> Raw:
        """A decision's value in RFC 7047's notation; None and () mean unset, which for a figure is 0."""
        kind = self.tables[table][column]
        if isinstance(value, Mapping):
            return ["map", sorted([key, each] for key, each in value.items())]
        if value is None or value == ():
            if kind.is_map:
                return ["map", []]
            return ["set", []] if kind.optional else {"integer": 0, "boolean": False}.get(kind.kind, "")
        if isinstance(value, tuple):
            return value[0] if len(value) == 1 else ["set", sorted(value)]
        return ["uuid", value] if kind.kind == "uuid" else value


def parse(raw: Mapping[str, Any]) -> Schema:
    """The answer of get_schema."""
    tables = {
        table: {name: _column(column) for name, column in body["columns"].items()}
        for table, body in raw["tables"].items()
    }
    return Schema(version=str(raw.get("version", "")), tables=tables)


def _column(raw: Mapping[str, Any]) -> Column:
    kind = raw["type"]
    ephemeral = bool(raw.get("ephemeral", False))
    if isinstance(kind, str):
        return Column(kind=kind, ephemeral=ephemeral)
    base = kind["value"] if "value" in kind else kind["key"]
    body = {"type": base} if isinstance(base, str) else base
    return Column(
        kind=body["type"],
        is_map="value" in kind,
        optional=kind.get("min", 1) == 0,
        single=kind.get("max", 1) == 1,
        refers=body.get("refTable", ""),
        weak=body.get("refType") == "weak",
        ephemeral=ephemeral,
    )


def plain(raw: Raw) -> Raw:
    """A raw value so that equal values compare equal: sets are frozensets, maps dicts, atoms sets of one."""
    if isinstance(raw, list) and len(raw) == 2:
        if raw[0] == "set":
            return frozenset(each[1] if isinstance(each, list) else each for each in raw[1])
        if raw[0] == "map":
            return {key: each[1] if isinstance(each, list) else each for key, each in raw[1]}
        return frozenset({raw[1]})
    return frozenset({raw})


def same(raw: Raw, value: Value) -> bool:
    """Whether a raw column holds what a decision took it for, where "" also stands for unset."""
    actual = plain(raw)
    if isinstance(value, Mapping):
        return bool(actual == dict(value))
    wished = frozenset(value if isinstance(value, tuple) else () if value is None else (value,))
    return bool(actual - {""} == wished - {""})


def uuids(raw: Raw) -> list[str]:
    """The UUIDs in a raw column."""
    if isinstance(raw, list) and len(raw) == 2:
        if raw[0] == "uuid":
            return [raw[1]]
        if raw[0] == "set":
            return [each[1] for each in raw[1]]
        return [each[1] for _, each in raw[1] if isinstance(each, list)]
    return []


def differences(table: str, schema: Schema, recorded: Row, current: Row) -> list[str]:
    """What differs in the configured columns, as ``Port.tag: 100, was 7``; UUIDs of rows are left out."""
    found = []
    for name in schema.configured(table):
        if name in recorded and name in current and schema.tables[table][name].kind != "uuid":
            old, new = plain(_lasting_ids(recorded[name])), plain(_lasting_ids(current[name]))
            if old != new:
                found.append(f"{table}.{name}: {_say(new)}, was {_say(old)}")
    return found


def restorable(schema: Schema, table: str, row: Row) -> Row:
    """The part of an old row that may be inserted again."""
    return {name: _lasting_ids(row[name]) for name in schema.configured(table) if name in row}


def _lasting_ids(raw: Raw) -> Raw:
    if isinstance(raw, list) and len(raw) == 2 and raw[0] == "map":
        return ["map", [pair for pair in raw[1] if not str(pair[0]).startswith(NEVER_RESTORED)]]
    return raw


def _say(value: Raw) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}={each}" for key, each in sorted(value.items())) + "}"
    return ",".join(str(each) for each in sorted(value, key=str)) or "unset"
