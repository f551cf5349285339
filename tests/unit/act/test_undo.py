"""The way back, as data, over a small model of what the transactions do."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hostagent.act.batch import happened
from hostagent.act.build import transition
from hostagent.act.rows import Database, State, Transition
from hostagent.act.schema import Row, restorable
from hostagent.act.undo import reverse
from hostagent.errors import ChangedError
from hostagent.model.plan import Change, StepKind
from tests.unit.act.data import SCHEMA, NewUuids, db, interface, port, ref, step, uuid


def carry_out(data: Database, each: Transition) -> Database:
    """What the database is once both transactions are committed."""
    old, new = each.before, each.after
    bridges: dict[str, list[Row]] = {row["name"]: [] for row in data.tables["Bridge"].values()}
    rows = {name: data.port(name) for name in data.names}
    rows.pop(each.name, None)
    if new.port is not None:
        rows[each.name] = new.port
    interfaces = []
    for found in rows.values():
        if found is not None:
            bridges[found.bridge].append({**port("x"), **found.port})
            interfaces += [{**interface("x"), **row} for row in found.interfaces]
    tables = {}
    for table, gone, come in (("QoS", old.qos, new.qos), ("Queue", old.queues, new.queues)):
        kept = {uuid: row for uuid, row in data.tables[table].items() if uuid not in gone}
        tables[table] = list((kept | dict(come)).values())
    return db(bridges, interfaces=tuple(interfaces), **tables)


def content(data: Database) -> dict[str, object]:
    """Everything but row UUIDs, and but what vswitchd writes."""
    ports = {}
    for name in data.names:
        found = data.port(name)
        assert found is not None
        row = restorable(SCHEMA, "Port", found.port)
        row.pop("interfaces")
        ports[name] = (
            found.bridge,
            row,
            restorable(SCHEMA, "Interface", found.interfaces[0]) | {"name": name},
        )
    return {"ports": ports, "qos": data.tables["QoS"], "queues": data.tables["Queue"]}


def start() -> Database:
    return db(
        {"br-int": [port("vnet1", tag=5, qos=ref("Q")), port("vnet2")], "br-ext": [port("eth0")]},
        QoS=[{"_uuid": ref("Q"), "type": "linux-htb", "queues": ["map", [[0, ref("U")]]]}],
        Queue=[{"_uuid": ref("U"), "other_config": ["map", [["max-rate", "8"]]]}],
    )


TAG = Change(path="Port.tag", old=5, new=None)
STEPS = {
    "delete": step(StepKind.DELETE_PORT, "vnet1", qos=(uuid("Q"),), queues=(uuid("U"),)),
    "delete, QoS stays": step(StepKind.DELETE_PORT, "vnet1"),
    "re-add": step(StepKind.READD_PORT, "vnet1"),
    "move": step(StepKind.READD_PORT, "vnet1", target_bridge="br-ext", changes=(TAG,)),
    "set": step(StepKind.SET_COLUMNS, "vnet1", changes=(TAG,)),
    "set with new QoS": step(
        StepKind.SET_COLUMNS,
        "vnet1",
        changes=(TAG, Change(path="Port.qos", old=uuid("Q"), new=None)),
        qos=(uuid("Q"),),
        queues=(uuid("U"),),
        limit={"max-rate": "1"},
        domain="v",
    ),
    "add": step(
        StepKind.ADD_PORT, "vnet3", changes=(TAG,), external_ids={"vm-id": "v"}, limit={"burst": "1"}
    ),
}


@pytest.mark.parametrize("name", STEPS)
def test_done_and_undone_is_as_before(name: str) -> None:
    before = start()
    new_uuid = NewUuids()
    done = transition(1, STEPS[name], before, new_uuid)
    after = carry_out(before, done)
    if name != "re-add":
        assert content(after) != content(before)
    back = reverse(done, after, new_uuid, action=1, leaving=frozenset())
    assert content(carry_out(after, back)) == content(before)
    again = reverse(back, carry_out(after, back), new_uuid, action=1, leaving=frozenset())
    assert content(carry_out(carry_out(after, back), again)) == content(after), "an undo can be undone"


@given(st.lists(st.sampled_from(sorted(STEPS)), min_size=1, max_size=4))
def test_several_undone_in_reverse_order(names: list[str]) -> None:
    data, new_uuid = start(), NewUuids()
    history = []
    for name in names:
        current = data.port(STEPS[name].name)
        rows = (
            {} if current is None else {"port": current.uuid, "interface": current.interfaces[0]["_uuid"][1]}
        )
        bridge = "br-int" if current is None else current.bridge
        try:
            done = transition(1, replace(STEPS[name], bridge=bridge, **rows), data, new_uuid)
        except ChangedError:
            continue
        history.append((content(data), done))
        data = carry_out(data, done)
    for expected, done in reversed(history):
        data = carry_out(data, reverse(done, data, new_uuid, action=1, leaving=frozenset()))
        assert content(data) == expected


def test_undoing_a_re_add_does_not_interrupt_the_guest() -> None:
    before, new_uuid = start(), NewUuids()
    done = transition(1, STEPS["re-add"], before, new_uuid)
    assert reverse(done, carry_out(before, done), new_uuid, action=1, leaving=frozenset()).in_place


def test_what_changed_meanwhile_is_named() -> None:
    before, new_uuid = start(), NewUuids()
    done = transition(1, STEPS["set"], before, new_uuid)
    assert done.after.port is not None
    theirs = replace(done.after.port, port=done.after.port.port | {"tag": 300})
    after = carry_out(before, replace(done, after=State(port=theirs)))
    with pytest.raises(ChangedError, match=r"vnet1 has changed since: Port\.tag: 300, was unset"):
        reverse(done, after, new_uuid, action=1, leaving=frozenset())


def test_a_name_given_again_is_left_alone() -> None:
    before = start()
    done = transition(1, STEPS["delete"], before, NewUuids())
    with pytest.raises(ChangedError, match="exists again, on br-int"):
        reverse(done, before, NewUuids(), action=1, leaving=frozenset())


def test_volatile_columns_do_not_count_as_changed() -> None:
    before, new_uuid = start(), NewUuids()
    done = transition(1, STEPS["set"], before, new_uuid)
    assert done.after.port is not None
    row = done.after.port.interfaces[0] | {
        "ofport": -1,
        "error": "gone",
        "external_ids": ["map", [["ovn-installed", "true"]]],
    }
    after = carry_out(before, replace(done, after=State(port=replace(done.after.port, interfaces=(row,)))))
    reverse(done, after, new_uuid, action=1, leaving=frozenset())


@pytest.mark.parametrize("name", sorted(set(STEPS) - {"re-add", "move"}))
def test_the_database_tells_whether_it_happened(name: str) -> None:
    before = start()
    done = transition(1, STEPS[name], before, NewUuids())
    assert not happened([done], before, chosen=True)
    assert happened([done], carry_out(before, done), chosen=True)
