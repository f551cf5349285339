"""Steps and rows → transitions and the operations of both transactions, as data."""

from __future__ import annotations

from typing import Any

import pytest

from hostagent.act import operations
from hostagent.act.build import transition
from hostagent.act.rows import Database, Transition, state_from_json, state_to_json
from hostagent.errors import ChangedError
from hostagent.model.plan import Change, StepKind
from tests.unit.act.data import SCHEMA, NewUuids, db, interface, of, port, ref, step, uuid

QOS = {"_uuid": ref("Q"), "type": "linux-htb", "queues": ["map", [[0, ref("U")]]]}
QUEUE = {"_uuid": ref("U"), "other_config": ["map", [["max-rate", "8"]]]}


def whole() -> Database:
    """vnet5 with everything that must come back."""
    ids = ["map", [["iface-id", "i"], ["ovn-installed", "true"], ["ovn-installed-ts", "5"], ["vm-id", "v"]]]
    return db(
        {"br-int": [port("vnet5", tag=7, qos=ref("Q"), future="kept", bond_active_slave="x")], "br-ext": []},
        interfaces=(interface("vnet5", ofport=42, external_ids=ids, error="gone", ingress_policing_rate=9),),
        QoS=[QOS],
        Queue=[QUEUE],
        Mirror=[
            {"_uuid": ref("M"), "name": "m", "select_src_port": ref("P vnet5"), "output_port": ["set", []]},
            {"_uuid": ref("N"), "name": "n", "select_src_port": ["set", []], "output_port": ref("P vnet5")},
        ],
    )


def made(data: Database, kind: StepKind, name: str, **fields: Any) -> Transition:
    return transition(1, step(kind, name, **fields), data, NewUuids())


def test_readd_keeps_every_column_but_what_vswitchd_and_ovn_say() -> None:
    data = whole()
    each = made(data, StepKind.READD_PORT, "vnet5", ofport=42)
    assert each.after.port is not None
    row = each.after.port.interfaces[0]
    assert each.after.port.port["future"] == "kept"
    assert each.after.port.port["tag"] == 7
    assert "bond_active_slave" not in each.after.port.port
    assert row["ofport"] == 42, "a wish, so that flows go on matching"
    assert "error" not in row
    assert row["external_ids"] == ["map", [["iface-id", "i"], ["vm-id", "v"]]]

    first = operations.first([each], data, chosen=True)
    assert first[0] == {"op": "assert", "lock": "hostagent_act"}
    assert not of(first, "insert"), (
        "vswitchd knows ports by name: added in the same transaction nothing happens"
    )
    assert of(first, "mutate", "Bridge")[0]["mutations"] == [["ports", "delete", ["set", [ref("P vnet5")]]]]
    assert not of(first, "delete", "QoS")
    second = operations.second([each], SCHEMA, chosen=True, absent=frozenset())
    inserted = {each["table"]: each["row"] for each in of(second, "insert")}
    assert inserted["Port"]["qos"] == ref("Q")
    assert inserted["Interface"]["ingress_policing_rate"] == 9
    new = ["uuid", each.after.port.uuid]
    assert of(second, "mutate", "Mirror")[0]["mutations"] == [["select_src_port", "insert", ["set", [new]]]]
    update = of(second, "update", "Mirror")[0]
    assert (update["row"], update["where"][1]) == ({"output_port": new}, ["output_port", "==", ["set", []]])
    assert second[-1] == {"op": "commit", "durable": True}


def test_first_transaction_waits_for_every_configured_column() -> None:
    data = whole()
    waits = of(operations.first([made(data, StepKind.DELETE_PORT, "vnet5")], data, chosen=True), "wait")
    seen = {each["table"]: each for each in waits}
    assert seen["Port"]["rows"][0]["future"] == "kept"
    assert seen["Interface"]["rows"][0]["ingress_policing_rate"] == 9
    assert not {"ofport", "error", "statistics"} & set(seen["Interface"]["columns"])
    assert ["ports", "includes", ["set", [ref("P vnet5")]]] in seen["Bridge"]["where"]
    assert {each["timeout"] for each in waits} == {0}


def test_delete_takes_libvirts_qos_along_unless_it_is_shared() -> None:
    gone = {"qos": (uuid("Q"),), "queues": (uuid("U"),)}
    data = whole()
    first = operations.first([made(data, StepKind.DELETE_PORT, "vnet5", **gone)], data, chosen=True)
    assert {each["table"] for each in of(first, "delete")} == {"Port", "QoS", "Queue"}

    shared = db(
        {"br-int": [port("vnet5", qos=ref("Q")), port("other", qos=ref("Q"))]}, QoS=[QOS], Queue=[QUEUE]
    )
    each = made(shared, StepKind.DELETE_PORT, "vnet5", qos=gone["qos"])
    assert (each.before.qos, set(each.before.lent_qos)) == ({}, {uuid("Q")})


def test_add_does_everything_at_once() -> None:
    data = db({"br-int": []})
    each = made(
        data,
        StepKind.ADD_PORT,
        "vnet9",
        domain="v",
        external_ids={"vm-id": "v", "iface-id": "i"},
        changes=(
            Change(path="Port.tag", old=None, new=30),
            Change(path="Port.trunks", old=None, new=(30, 20)),
        ),
        limit={"min-rate": "8192"},
    )
    first = operations.first([each], data, chosen=True)
    inserted = {each["table"]: each["row"] for each in of(first, "insert")}
    assert [each["table"] for each in of(first, "insert")] == ["Queue", "QoS", "Interface", "Port"]
    assert (inserted["Port"]["tag"], inserted["Port"]["trunks"]) == (30, ["set", [20, 30]])
    assert inserted["Port"]["external_ids"] == ["map", [["ifname", "vnet9"], ["vm-id", "v"]]]
    assert inserted["QoS"]["type"] == "linux-htb"
    assert (
        inserted["QoS"]["other_config"]
        == inserted["Queue"]["other_config"]
        == ["map", [["min-rate", "8192"]]]
    )
    assert not operations.late([each])


def test_a_server_that_gives_uuids_itself_gets_names() -> None:
    data = db({"br-int": []})
    each = made(data, StepKind.ADD_PORT, "vnet9", limit={"min-rate": "8192"})
    inserts = of(operations.first([each], data, chosen=False), "insert")
    names = {each["table"]: each["uuid-name"] for each in inserts}
    rows = {each["table"]: each["row"] for each in inserts}
    assert rows["Port"]["interfaces"] == ["named-uuid", names["Interface"]]
    assert rows["Port"]["qos"] == ["named-uuid", names["QoS"]]
    assert rows["QoS"]["queues"] == ["map", [[0, ["named-uuid", names["Queue"]]]]]
    assert not any("uuid" in each for each in inserts)


def test_set_columns_changes_in_place() -> None:
    data = whole()
    changes = (
        Change(path="Port.tag", old=7, new=None),
        Change(path="Interface.ingress_policing_rate", old=9, new=0),
        Change(path="Port.qos", old=uuid("Q"), new=None),
    )
    each = made(data, StepKind.SET_COLUMNS, "vnet5", changes=changes, qos=(uuid("Q"),), queues=(uuid("U"),))
    first = operations.first([each], data, chosen=True)
    assert [(each["table"], each["row"]) for each in of(first, "update")] == [
        ("Port", {"tag": ["set", []], "qos": ["set", []]}),
        ("Interface", {"ingress_policing_rate": 0}),
    ]
    assert not of(first, "insert")
    assert [each["table"] for each in of(first, "delete")] == ["QoS", "Queue"]
    assert not operations.late([each])


def test_a_move_leaves_ofport_and_mirrors_of_the_other_bridge() -> None:
    each = made(whole(), StepKind.READD_PORT, "vnet5", target_bridge="br-ext")
    assert each.after.port is not None
    assert (each.after.port.bridge, each.after.port.references) == ("br-ext", ())
    assert "ofport" not in each.after.port.interfaces[0]


def test_one_transaction_for_each_bridge_not_for_each_port() -> None:
    data = db({"br-int": [port(f"vnet{n}") for n in range(50)]})
    many = [transition(n, step(StepKind.READD_PORT, f"vnet{n}"), data, NewUuids()) for n in range(50)]
    assert len(of(operations.first(many, data, chosen=True), "mutate", "Bridge")) == 1
    assert len(of(operations.second(many, SCHEMA, chosen=True, absent=frozenset()), "mutate", "Bridge")) == 1


def test_a_name_removed_in_the_first_is_added_in_the_second() -> None:
    data = db({"br-int": [port("vnet4")], "br-ext": []})
    delete = transition(1, step(StepKind.DELETE_PORT, "vnet4"), data, NewUuids())
    add = Transition(action=2, name="vnet4", before=delete.after, after=delete.before)
    assert operations.late([delete, add]) == (add,)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"port": uuid("another")}, "made again by somebody else"),
        ({"bridge": "br-ext"}, "no longer on br-ext"),
        ({"interface": uuid("another")}, "other interfaces"),
        ({"expect": {"Port.tag": 8}}, r"Port\.tag"),
        ({"expect": {"Interface.external_ids": {"iface-id": "i"}}}, "external_ids"),
    ],
)
def test_a_step_that_no_longer_holds(fields: dict[str, Any], words: str) -> None:
    with pytest.raises(ChangedError, match=words):
        made(whole(), StepKind.READD_PORT, "vnet5", **fields)


def test_expected_values_in_the_words_of_the_model() -> None:
    expect = {
        "Port.tag": 7,
        "Port.trunks": (),
        "Port.qos": uuid("Q"),
        "Interface.type": "",
        "Port.future": "kept",
    }
    made(whole(), StepKind.READD_PORT, "vnet5", expect=expect)


@pytest.mark.parametrize(
    ("kind", "name", "fields"),
    [
        (StepKind.DELETE_PORT, "gone", {}),
        (StepKind.ADD_PORT, "vnet5", {}),
        (StepKind.ADD_PORT, "vnet9", {"bridge": "br-none"}),
        (StepKind.READD_PORT, "vnet5", {"target_bridge": "br-none"}),
        (StepKind.DELETE_QOS, "q", {"qos": (uuid("Q"),)}),
        (StepKind.DELETE_QUEUE, "u", {"queues": (uuid("U"),)}),
    ],
)
def test_rows_that_are_not_there_or_in_use(kind: StepKind, name: str, fields: dict[str, Any]) -> None:
    with pytest.raises(ChangedError):
        made(whole(), kind, name, **fields)


def test_states_survive_the_journal() -> None:
    each = made(whole(), StepKind.READD_PORT, "vnet5")
    assert state_from_json(state_to_json(each.before)) == each.before
    assert state_from_json(state_to_json(each.after)) == each.after
