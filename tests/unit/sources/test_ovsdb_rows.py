"""Rows as ovs.db.idl holds them → records, and schemas of other versions."""

from types import SimpleNamespace as Row
from typing import Any
from uuid import UUID

import pytest

from hostagent.model.ports import OvsInterface, OvsPort, OvsQos, OvsQueue
from hostagent.sources.ovsdb_rows import ESSENTIAL, OPTIONAL, RowsError, columns_of, parse_rows


def uuid(number: int) -> UUID:
    return UUID(int=number)


def interface(name: str, **columns: Any) -> Row:
    row: dict[str, Any] = {
        "uuid": uuid(1),
        "name": name,
        "type": "",
        "ofport": [],
        "error": [],
        "ifindex": [],
        "external_ids": {},
        "status": {},
        "ingress_policing_rate": 0,
        "ingress_policing_burst": 0,
    }
    return Row(**row | columns)


def port(name: str, interfaces: list[Row], **columns: Any) -> Row:
    row: dict[str, Any] = {
        "uuid": uuid(2),
        "name": name,
        "interfaces": interfaces,
        "tag": [],
        "trunks": [],
        "vlan_mode": [],
        "qos": [],
        "fake_bridge": False,
        "external_ids": {},
        "other_config": {},
    }
    return Row(**row | columns)


def root(**columns: Any) -> Row:
    row: dict[str, Any] = {"uuid": uuid(9), "bridges": [], "other_config": {}, "cur_cfg": 3, "next_cfg": 4}
    return Row(**row | {"ovs_version": ["3.1.0"], "external_ids": {"system-id": "x"}} | columns)


def bridge(name: str, ports: list[Row]) -> Row:
    return Row(uuid=uuid(3), name=name, ports=ports, datapath_type="netdev", external_ids={"a": "b"})


def test_unset_and_set() -> None:
    queue = Row(uuid=uuid(5), external_ids={"vm-id": "v"})
    qos = Row(uuid=uuid(4), type="linux-htb", queues={0: queue, 1: queue}, external_ids={"ifname": "vnet1"})
    bare = port("vnet0", [interface("vnet0", ofport=[-1], error=["could not open"])])
    full = port(
        "bond0",
        [interface("eth1", ofport=[2], ifindex=[7]), interface("eth0", type="dpdk")],
        tag=[0],
        trunks=[20, 10],
        vlan_mode=["native-untagged"],
        qos=[qos],
        fake_bridge=True,
        external_ids={"k": "ü\n"},
        other_config={"transient": "true"},
    )
    tables = {
        "Open_vSwitch": [root(other_config={"flow-restore-wait": "true"})],
        "Bridge": [bridge("br-int", [bare, full])],
        "Port": [bare, full],
        "QoS": [qos],
        "Queue": [queue],
    }
    found = parse_rows(tables, "8.3.1")
    assert (found.schema_version, found.ovs_version, found.cur_cfg, found.next_cfg) == (
        "8.3.1",
        "3.1.0",
        3,
        4,
    )
    assert found.flow_restore_wait
    assert found.external_ids == {"system-id": "x"}
    assert found.bridges["br-int"].userspace
    assert found.ports["vnet0"].interfaces == (
        OvsInterface(uuid=str(uuid(1)), name="vnet0", ofport=-1, error="could not open"),
    )
    assert found.ports["bond0"] == OvsPort(
        uuid=str(uuid(2)),
        name="bond0",
        bridge="br-int",
        interfaces=(
            OvsInterface(uuid=str(uuid(1)), name="eth0", type="dpdk"),
            OvsInterface(uuid=str(uuid(1)), name="eth1", ofport=2, ifindex=7),
        ),
        tag=0,
        trunks=(10, 20),
        vlan_mode="native-untagged",
        qos=str(uuid(4)),
        fake_bridge=True,
        external_ids={"k": "ü\n"},
        other_config={"transient": "true"},
    )
    expected = OvsQos(
        uuid=str(uuid(4)),
        type="linux-htb",
        queues=frozenset({str(uuid(5))}),
        external_ids={"ifname": "vnet1"},
    )
    assert found.qos == {str(uuid(4)): expected}
    assert found.queues == {str(uuid(5)): OvsQueue(uuid=str(uuid(5)), external_ids={"vm-id": "v"})}


def test_columns_that_an_older_schema_lacks() -> None:
    row = interface("vnet0")
    for column in OPTIONAL["Interface"]:
        delattr(row, column)
    found = parse_rows(
        {
            "Open_vSwitch": [Row(uuid=uuid(9), bridges=[], other_config={}, cur_cfg=0, next_cfg=0)],
            "Bridge": [bridge("br", [port("vnet0", [row])])],
        },
        "7.0.0",
    )
    assert found.ports["vnet0"].interfaces == (OvsInterface(uuid=str(uuid(1)), name="vnet0"),)
    assert (found.qos, found.queues, found.ovs_version) == ({}, {}, "")


@pytest.mark.parametrize("count", [0, 2])
def test_an_empty_database_is_not_the_truth(count: int) -> None:
    with pytest.raises(RowsError, match=f"{count} Open_vSwitch rows"):
        parse_rows({"Open_vSwitch": [root()] * count}, "8.3.1")


def schema(without: str = "") -> dict[str, Any]:
    tables: dict[str, Any] = {}
    for part in (ESSENTIAL, OPTIONAL):
        for table, columns in part.items():
            held = tables.setdefault(table, {"columns": {"_other": {}}})["columns"]
            held.update({name: {} for name in columns if f"{table}.{name}" != without})
    tables.pop(without, None)
    return {"name": "Open_vSwitch", "version": "9.9.9", "tables": tables | {"Newer": {"columns": {}}}}


def test_only_what_is_used_is_registered() -> None:
    wanted = columns_of(schema())
    assert set(wanted) == set(ESSENTIAL) | set(OPTIONAL)
    assert "_other" not in wanted["Port"]


@pytest.mark.parametrize("table", ["QoS", "Queue"])
def test_an_optional_table_may_be_missing(table: str) -> None:
    assert table not in columns_of(schema(table))


@pytest.mark.parametrize(
    "name", [f"{table}.{column}" for table, columns in OPTIONAL.items() for column in columns]
)
def test_an_optional_column_may_be_missing(name: str) -> None:
    table, column = name.split(".")
    assert column not in columns_of(schema(name)).get(table, [])


@pytest.mark.parametrize(
    "name", [*ESSENTIAL, *(f"{table}.{column}" for table, columns in ESSENTIAL.items() for column in columns)]
)
def test_an_essential_one_is_named(name: str) -> None:
    what = "column" if "." in name else "table"
    with pytest.raises(RowsError, match=rf"version 9\.9\.9\) has no {what} {name}$"):
        columns_of(schema(name))


def test_no_schema() -> None:
    with pytest.raises(RowsError, match="has no tables"):
        columns_of({})
