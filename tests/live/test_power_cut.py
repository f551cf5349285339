"""A power cut with five guests, another start order: every drift found by code and object, and repaired."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.live.look import alarms, check, fix, rows, taps, without_purge

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.lab import Node

pytestmark = pytest.mark.lab

GUESTS: dict[str, dict[str, Any]] = {
    "a1": {"bridge": "br-int", "vlan": 100, "ip": "10.1.0.1/24", "mac": "52:54:00:00:00:01"},
    "a2": {
        "bridge": "br-int",
        "vlan": 100,
        "ip": "10.1.0.2/24",
        "mac": "52:54:00:00:00:02",
        "bandwidth": 500,
    },
    "b1": {
        "bridge": "br-int",
        "vlan": 200,
        "ip": "10.1.0.3/24",
        "mac": "52:54:00:00:00:03",
        "bandwidth": 700,
    },
    "b2": {"bridge": "br-int", "vlan": 200, "ip": "10.1.0.4/24", "mac": "52:54:00:00:00:04"},
    "e1": {"bridge": "br-ext", "vlan": None, "ip": "10.1.0.5/24", "mac": "52:54:00:00:00:05"},
}
NETWORK: dict[str, set[str]] = {"a1": {"a2"}, "a2": {"a1"}, "b1": {"b2"}, "b2": {"b1"}, "e1": set()}


def heard(node: Node, *guests: str) -> dict[str, set[str]]:
    """Whose broadcasts arrive at each guest, by frames on its tap."""
    names = {str(spec["mac"]): name for name, spec in GUESTS.items()}
    by_tap = node.reach(list((found := taps(node, *guests)).values()))
    return {
        guest: {names[mac] for mac in by_tap[tap] if mac in names} - {guest} for guest, tap in found.items()
    }


def test_power_cut_and_another_start_order(make_node: Callable[[str], Node]) -> None:
    node = make_node("cut")
    without_purge(node)
    assert check(node)[0] == 0, "a fresh node is at exit 0"
    for name, spec in GUESTS.items():
        node.guest(name, **spec)
        node.start(name)
    assert heard(node, *GUESTS) == NETWORK
    assert check(node)[0] == 0
    node.run("sync")
    node.power_cut()
    node.boot()
    assert alarms(node) == {
        *(f"OVS_PORT_STALE br-int/vnet{index}" for index in range(4)),
        "OVS_PORT_STALE br-ext/vnet4",
    }

    started = {name: node.run("virsh", "start", name, check=False) for name in ("e1", "b1", "a1", "b2", "a2")}
    assert {name for name, done in started.items() if done.returncode} == {"e1", "a2"}
    assert "Unable to add port vnet0 to OVS bridge br-ext" in started["e1"].stderr
    running = ("a1", "b1", "b2")
    assert taps(node, *running) == {"b1": "vnet1", "a1": "vnet2", "b2": "vnet3"}
    assert heard(node, *running) == {"a1": {"b2"}, "b1": set(), "b2": {"a1"}}, "a1 sits in the other VLAN"

    status, checks = check(node)
    assert status == 2
    found = alarms(node)
    orphans = {each for each in found if each.startswith("OVS_QOS_ORPHAN")}
    assert len(orphans) == 1, "the QoS that a2 had on vnet1 before the cut"
    assert found - orphans == {
        "OVS_PORT_STALE br-int/vnet0",
        "OVS_PORT_STALE br-ext/vnet4",
        "OVS_IFACE_ID_DUPLICATE br-int/vnet0",  # a1's row from before the cut, and its row of now
        "OVS_IFACE_ID_DUPLICATE br-int/vnet2",
        "OVS_PORT_WRONG_BRIDGE br-int/vnet0",
        "OVS_PORT_WRONG_BRIDGE br-ext/vnet4",
        *(f"OVS_PORT_INHERITED br-int/vnet{index}" for index in (1, 2)),
    }
    assert checks["OVS_PORT_INHERITED"]["fixable"]

    before = rows(node)
    assert fix(node) == 10
    assert rows(node) == before, "without --apply nothing changes"
    assert fix(node, "--apply") == 0
    assert check(node)[0] == 0
    assert heard(node, *running) == {"a1": set(), "b1": {"b2"}, "b2": {"b1"}}
    for name in ("e1", "a2"):
        node.start(name)
    assert heard(node, *GUESTS) == NETWORK
    assert check(node)[0] == 0
    assert len(rows(node)["QoS"]) == 2, "one QoS each for a2 and b1"
    assert fix(node, "--apply") == 0
