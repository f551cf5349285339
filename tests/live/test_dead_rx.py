"""A tap made again under a live guest's port (FACTS): found in one look, repaired with every column."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.live.look import alarms, check, column, fix, rows, signal

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.lab import Node

pytestmark = pytest.mark.lab

MACS = {"tapone": "52:54:00:00:01:01", "taptwo": "52:54:00:00:01:02"}


def hears(node: Node) -> dict[str, bool]:
    """Whether each guest gets the other's broadcasts."""
    arrived = node.reach(list(MACS))
    return {"one": MACS["taptwo"] in arrived["tapone"], "two": MACS["tapone"] in arrived["taptwo"]}


def start_both(node: Node) -> None:
    for number, (tap, mac) in enumerate(MACS.items(), start=1):
        name = tap.removeprefix("tap")
        node.guest(name, bridge="br-int", vlan=300, ip=f"10.3.0.{number}/24", mac=mac, tap=tap, bandwidth=900)
        node.start(name)


def silence(node: Node) -> None:
    """Restart guest one while ovsdb-server hangs, as in FACTS."""
    signal(node, "STOP", "ovsdb-server")
    node.run("virsh", "destroy", "one")
    signal(node, "CONT", "ovsdb-server")
    node.run("virsh", "start", "one")


def test_dead_rx(make_node: Callable[[str], Node]) -> None:
    node = make_node("deaf")
    start_both(node)
    assert hears(node) == {"one": True, "two": True}
    ofport = column(node, "Interface", "tapone", "ofport")
    silence(node)
    assert hears(node) == {"one": True, "two": False}, "what the guest sends is lost, what it gets arrives"
    assert column(node, "Interface", "tapone", "ofport") == ofport
    assert column(node, "Interface", "tapone", "error") in {"[]", '""'}
    assert alarms(node) == {"OVS_PORT_DEAD_RX br-int/tapone"}

    node.run(*"ovs-vsctl -- del-port tapone -- add-port br-int tapone tag=300".split())
    assert hears(node)["two"] is False, "one transaction with del and add repairs nothing"


def test_repair_keeps_every_column(make_node: Callable[[str], Node]) -> None:
    node = make_node("keep")
    start_both(node)
    node.run(
        "ovs-vsctl", "set", "Port", "tapone", "other_config:priority-tags=never", "external_ids:site=keep"
    )
    node.run("ovs-vsctl", "set", "Interface", "tapone", "other_config:x=y", "lldp:enable=false")
    node.run(
        *"ovs-vsctl -- --id=@p get Port tapone -- --id=@m create Mirror name=m select_src_port=@p "
        "select_dst_port=@p -- set Bridge br-int mirrors=@m".split()
    )
    silence(node)
    before, ofport = rows(node), column(node, "Interface", "tapone", "ofport")
    assert alarms(node) == {"OVS_PORT_DEAD_RX br-int/tapone"}
    assert fix(node, "--apply") == 0
    assert rows(node) == before
    assert column(node, "Interface", "tapone", "ofport") == ofport
    assert hears(node) == {"one": True, "two": True}
    assert check(node)[0] == 0
