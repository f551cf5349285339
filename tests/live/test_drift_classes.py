"""Each class of drift brought to life on a node: found by code and object, repaired, undone.

Classes of the kernel datapath (OVS_PORT_UNATTACHED) need a kernel with the openvswitch module and are
shown by the case folders; dead RX, stale and inherited ports have lab tests of their own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.live.look import alarms, check, fix, last_run, rows

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.lab import Node

pytestmark = pytest.mark.lab

NOBODY = "external_ids:vm-id=00000000-0000-4000-8000-0000000000aa"


@pytest.fixture(scope="module")
def node(make_node: Callable[[str], Node]) -> Node:
    """Two guests in a VLAN with bandwidth, all in order."""
    made = make_node("drift")
    for number in (1, 2):
        mac = f"52:54:00:00:07:0{number}"
        made.guest(f"g{number}", bridge="br-int", vlan=700, ip=f"10.7.0.{number}/24", mac=mac, bandwidth=400)
        made.start(f"g{number}")
    assert check(made)[0] == 0
    return made


def ovs(node: Node, words: str) -> None:
    node.run("ovs-vsctl", *words.split())


def repaired(node: Node, wished: dict[str, list[str]], *arguments: str) -> None:
    """Fix, compare with the wished rows, undo, compare with the rows before, and fix for good."""
    broken = rows(node)
    assert fix(node, *arguments) == 10
    assert fix(node, "--apply", *arguments) == 0
    assert rows(node) == wished
    assert alarms(node) == set()
    undone = node.run("hostagent", "undo", last_run(node), check=False)
    assert undone.returncode == 0, undone.stdout + undone.stderr
    assert rows(node) == broken
    assert fix(node, "--apply", *arguments) == 0
    assert rows(node) == wished


def test_port_missing(node: Node) -> None:
    wished = rows(node)
    ovs(node, "del-port vnet0")
    assert alarms(node) == {"OVS_PORT_MISSING br-int/vnet0"}, "its QoS waits for it"
    repaired(node, wished)
    assert node.reach(["vnet0", "vnet1"]) == {"vnet0": {"52:54:00:00:07:02"}, "vnet1": {"52:54:00:00:07:01"}}


def test_port_on_the_wrong_bridge(node: Node) -> None:
    wished = rows(node)
    ids = node.run("ovs-vsctl", "get", "Interface", "vnet1", "external_ids").stdout.strip().replace(" ", "")
    qos = node.run("ovs-vsctl", "get", "Port", "vnet1", "qos").stdout.strip()
    port_ids = node.run("ovs-vsctl", "get", "Port", "vnet1", "external_ids").stdout.strip().replace(" ", "")
    rate = node.run("ovs-vsctl", "get", "Interface", "vnet1", "ingress_policing_rate").stdout.strip()
    ovs(node, "del-port vnet1")
    ovs(
        node,
        f"add-port br-ext vnet1 tag=700 qos={qos} external_ids={port_ids} "
        f"-- set Interface vnet1 external_ids={ids} ingress_policing_rate={rate}",
    )
    assert alarms(node) == {"OVS_PORT_WRONG_BRIDGE br-ext/vnet1"}
    repaired(node, wished)


@pytest.mark.parametrize(
    "words",
    [
        "set Port vnet0 tag=701",
        "clear Port vnet0 tag",
        "set Port vnet0 trunks=1,2",
        "set Interface vnet0 ingress_policing_rate=77",
    ],
)
def test_columns_of_another(node: Node, words: str) -> None:
    wished = rows(node)
    ovs(node, words)
    assert alarms(node) == {"OVS_PORT_INHERITED br-int/vnet0"}
    repaired(node, wished)


def test_tap_down(node: Node) -> None:
    node.run("ip", "link", "set", "vnet0", "down")
    assert alarms(node) == {"OVS_TAP_DOWN br-int/vnet0"}
    assert fix(node, "--apply") == 0
    assert alarms(node) == set()


def test_tap_orphan_goes_only_when_asked(node: Node) -> None:
    node.run("ip", "tuntap", "add", "dev", "vnet770", "mode", "tap")
    assert alarms(node) == {"OVS_TAP_ORPHAN vnet770"}
    assert fix(node, "--apply", "--yes") == 0
    assert alarms(node) == {"OVS_TAP_ORPHAN vnet770"}, "not named, not touched"
    assert fix(node, "OVS_TAP_ORPHAN", "--apply") == 12, "named, but nobody said yes"
    assert fix(node, "OVS_TAP_ORPHAN", "--apply", "--yes") == 0
    assert alarms(node) == set()


def test_gone_instance_of_os_vif_goes_only_when_asked(node: Node) -> None:
    wished = rows(node)
    ids = "external_ids:vm-uuid=00000000-0000-4000-8000-0000000000bb external_ids:iface-id=i"
    ovs(node, f"--no-wait add-port br-int tapgone -- set Interface tapgone {ids}")
    assert alarms(node) == set(), "dormant is ok"
    assert fix(node, "--apply", "--yes") == 0
    assert rows(node) != wished
    repaired(node, wished, "OVS_PORT_DORMANT", "--yes")


def test_duplicate_iface_id(node: Node) -> None:
    wished = rows(node)
    iface = node.run("ovs-vsctl", "get", "Interface", "vnet0", "external_ids:iface-id").stdout.strip()
    ovs(
        node,
        f"--no-wait add-port br-int vnet771 -- set Interface vnet771 {NOBODY} external_ids:iface-id={iface}",
    )
    assert alarms(node) == {
        "OVS_IFACE_ID_DUPLICATE br-int/vnet0",
        "OVS_IFACE_ID_DUPLICATE br-int/vnet771",
        "OVS_PORT_STALE br-int/vnet771",
    }
    repaired(node, wished)


def test_qos_orphan(node: Node) -> None:
    wished = rows(node)
    made = node.run(*f"ovs-vsctl create QoS type=linux-htb {NOBODY} external_ids:ifname=vnet9".split()).stdout
    assert alarms(node) == {f"OVS_QOS_ORPHAN {made.strip()}"}
    repaired(node, wished)


def test_bridge_missing_is_reported_and_never_made(node: Node) -> None:
    node.guest("lost", bridge="br-ext")
    node.start("lost")
    node.run("ovs-vsctl", "del-br", "br-ext")
    before = rows(node)
    assert alarms(node) == {"OVS_BRIDGE_MISSING br-ext/vnet2"}
    assert fix(node, "--apply", "--yes", "--force") == 0
    assert rows(node) == before
    node.run("virsh", "destroy", "lost")
    ovs(node, "add-br br-ext -- set Bridge br-ext datapath_type=netdev")


def test_reports(node: Node) -> None:
    """What others own: shown with --full or where their marks are, and left alone."""
    node.run("ovs-ofctl", "add-flow", "br-int", "in_port=77,actions=drop")
    assert alarms(node) == set()
    assert alarms(node, "--full") == {"OVS_FLOW_ORPHAN br-int/77"}
    node.run("ovs-ofctl", "--strict", "del-flows", "br-int", "in_port=77")
    ovs(node, "set Open_vSwitch . external_ids:ovn-remote=tcp:127.0.0.1:6642")
    assert alarms(node) == {"OVN_PORT_NOT_INSTALLED br-int/vnet0", "OVN_PORT_NOT_INSTALLED br-int/vnet1"}
    ovs(node, "remove Open_vSwitch . external_ids ovn-remote")
    options = node.read("/etc/default/openvswitch-switch")
    node.write("/etc/default/openvswitch-switch", 'OVS_CTL_OPTS="--delete-transient-ports"\n')
    ovs(node, "set Port vnet0 other_config:transient=true")
    assert alarms(node) == {"OVS_TRANSIENT_TRAP br-int/vnet0"}
    assert fix(node, "--apply") == 0
    node.write("/etc/default/openvswitch-switch", options)
    ovs(node, "remove Port vnet0 other_config transient")
    assert alarms(node) == set()


def test_stop_file_and_flow_restore_halt_all_acting(node: Node) -> None:
    ovs(node, "set Port vnet0 tag=9")
    before = rows(node)
    node.write("/etc/hostagent/stop", "a person said so\n")
    assert fix(node, "--apply") == 12
    node.run("rm", "/etc/hostagent/stop")
    ovs(node, "set Open_vSwitch . other_config:flow-restore-wait=true")
    assert fix(node, "--apply") == 12
    ovs(node, "remove Open_vSwitch . other_config flow-restore-wait")
    assert rows(node) == before
    assert fix(node, "--apply") == 0
    assert alarms(node) == set()
