"""A probe's port on an OVS bridge: a row of type internal, marked as the probe's, for some milliseconds."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from hostagent.act.operations import APPLIED, until_applied
from hostagent.act.ovsdb import Ovsdb
from hostagent.act.store import next_cfg
from hostagent.errors import ActError, ChangedError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hostagent.act.ovsdb import Operation
    from hostagent.act.schema import Raw, Row
    from hostagent.config import Settings

# The first keeps drift checks and repairs off it (DRIFT.md), the second says whose leftover it is.
_MARKER = {"hostagent": "ignore", "hostagent-probe": "dhcp"}
_MARKED: Raw = ["external_ids", "includes", ["map", [["hostagent-probe", "dhcp"]]]]


@contextmanager
def internal_port(bridge: str, name: str, mac: str, vlan: int | None, settings: Settings) -> Iterator[None]:
    """An internal port, applied by vswitchd; its row goes with the block.

    Raises:
        ActError: there is no such bridge, or OVSDB refuses.
        SourceError: OVSDB can't be reached.
    """
    with _session(settings) as session:
        _removed(session, settings)
        if not session.transact([_bridge(bridge)])[0]["rows"]:
            raise ActError(f"there is no OVS bridge {bridge} (ovs-vsctl list-br)")
        try:
            _apply(session, _insert(bridge, name, mac, vlan), settings)
            yield
        finally:
            with _session(settings) as last:  # the first one may be what failed
                _removed(last, settings)


def remove_leftovers(settings: Settings) -> int:
    """Remove the rows of probes whose process has ended; how many there were."""
    with _session(settings) as session:
        return _removed(session, settings)


def _session(settings: Settings) -> Ovsdb:
    return Ovsdb(settings.sources.ovsdb_socket, timeout_seconds=settings.looks.timeout_seconds)


def _removed(session: Ovsdb, settings: Settings) -> int:
    """Take marked rows off their bridges; OVSDB drops a row that no bridge names."""
    select: Operation = {"op": "select", "table": "Port", "where": [_MARKED], "columns": ["_uuid"]}
    found = [row["_uuid"] for row in session.transact([select])[0]["rows"]]
    if found:
        delete: Operation = {
            "op": "mutate",
            "table": "Bridge",
            "where": [],
            "mutations": [["ports", "delete", ["set", found]]],
        }
        _apply(session, [delete], settings)
    return len(found)


def _apply(session: Ovsdb, operations: list[Operation], settings: Settings) -> None:
    """Commit, and wait until vswitchd has done it."""
    seconds = settings.repair.barrier_seconds
    number = next_cfg(session.transact([*operations, *APPLIED]))
    try:
        session.transact([until_applied(number, seconds)], timeout_seconds=seconds + 1)
    except ChangedError as error:
        raise ActError(
            f"ovs-vswitchd has not applied a probe's port in {seconds:g} s (systemctl status ovs-vswitchd)"
        ) from error


def _bridge(name: str) -> Operation:
    return {"op": "select", "table": "Bridge", "where": [["name", "==", name]], "columns": ["_uuid"]}


def _insert(bridge: str, name: str, mac: str, vlan: int | None) -> list[Operation]:
    marker = ["map", list(_MARKER.items())]
    interface = {"name": name, "type": "internal", "mac": mac, "external_ids": marker}
    port: Row = {"name": name, "interfaces": ["named-uuid", "interface"], "external_ids": marker}
    if vlan is not None:
        port |= {"tag": vlan, "vlan_mode": "access"}
    return [
        {"op": "insert", "table": "Interface", "uuid-name": "interface", "row": interface},
        {"op": "insert", "table": "Port", "uuid-name": "port", "row": port},
        {
            "op": "mutate",
            "table": "Bridge",
            "where": [["name", "==", bridge]],
            "mutations": [["ports", "insert", ["set", [["named-uuid", "port"]]]]],
        },
    ]
