"""Rows that are not ours, present, broken or suspicious: shown rightly and never changed."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

import pytest

from tests.lab import soon
from tests.live.look import check, fix, rows

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.lab import Node

pytestmark = pytest.mark.lab

OFF, COMING = str(UUID(int=0xA1)), str(UUID(int=0xA2))
VIF = "external_ids:iface-id={0} external_ids:iface-status=active external_ids:attached-mac=fa:16:3e:00:00:01"
LIBVIRT_IDS = f"external_ids:vm-id={UUID(int=0xB1)}"


def plug(node: Node, bridge: str, name: str, port: str = "", interface: str = "") -> None:
    """Add a port as the tool in question does, in one transaction."""
    words = f"-- add-port {bridge} {name} {port} -- set Interface {name} {interface or 'external_ids:x=y'}"
    node.run("ovs-vsctl", "--no-wait", *words.split())


def everything_foreign(node: Node) -> None:
    """What nova, neutron, OVN, OpenNebula and people leave on a node."""
    node.run("ovs-vsctl", "--", "add-br", "tbr-77", "--", "set", "Bridge", "tbr-77", "datapath_type=netdev")
    off, coming = VIF.format(UUID(int=0xC1)), VIF.format(UUID(int=0xC2))
    plug(
        node,
        "br-int",
        "tapoff",
        "tag=3 other_config:net_uuid=n other_config:tag=3",
        f"{off} external_ids:vm-uuid={OFF}",
    )
    plug(node, "br-int", "tapcoming", "", f"{coming} external_ids:vm-uuid={COMING}")
    plug(node, "br-int", "qvo123", "tag=4", VIF.format("q"))
    plug(node, "tbr-77", "tap77", "", LIBVIRT_IDS)
    plug(node, "br-int", "pb77", "", LIBVIRT_IDS)
    plug(node, "br-int", "pf0vf3", "", f"{VIF.format('r')} external_ids:vm-uuid={OFF}")
    plug(node, "br-int", "tapneutron", "tag=5 other_config:net_uuid=n other_config:tag=5", LIBVIRT_IDS)
    plug(node, "br-int", "tapisolated", "tag=4095 other_config:tag=4095", VIF.format("z"))
    plug(node, "br-int", "vnet900", "", f"{LIBVIRT_IDS} external_ids:ovn-installed=true")
    plug(node, "br-int", "vnet901", "", f"{LIBVIRT_IDS} external_ids:hostagent=ignore")
    plug(node, "br-int", "vnet902", "", f"{LIBVIRT_IDS} external_ids:skip_cleanup=true")
    plug(node, "br-int", "vnet903", "external_ids:hostagent=ignore", LIBVIRT_IDS)
    node.run("ip", "link", "add", "up0", "type", "veth", "peer", "name", "up0p")
    plug(node, "br-ext", "up0")
    plug(node, "br-ext", "eth99")
    node.run("ovs-vsctl", "--no-wait", "--", "add-bond", "br-ext", "bond0", "bm0", "bm1")
    plug(node, "br-int", "patch-a", "", "type=patch options:peer=patch-b")
    plug(node, "br-int", "vxlan0", "", "type=vxlan options:remote_ip=127.0.0.9")
    plug(node, "br-int", "int0", "", "type=internal")
    plug(node, "br-int", "vhu0", "", "type=dpdkvhostuserclient options:vhost-server-path=/run/x")
    plug(node, "br-int", "dpdk0", "", "type=dpdk options:dpdk-devargs=0000:00:00.0")
    node.run("ip", "tuntap", "add", "dev", "tap-hand", "mode", "tap")
    plug(node, "br-int", "tap-hand", "tag=9")
    node.run(*"ovs-vsctl -- --id=@q create QoS type=linux-noop -- set Port tapneutron qos=@q".split())
    node.run(*"ovs-vsctl create QoS type=linux-htb external_ids:owner=site".split())


def opennebula_guest(node: Node) -> None:
    """A running guest whose VLAN was set after the start, with no <vlan> in the XML."""
    node.guest("one-7", bridge="br-int", ip="10.9.0.7/24", mac="52:54:00:00:09:07")
    xml = node.run("virsh", "dumpxml", "one-7").stdout
    mark = '<metadata><one:vm xmlns:one="http://opennebula.org/xmlns/libvirt/1.0"/></metadata>'
    node.write("/root/one.xml", xml.replace("<memory ", f"{mark}<memory ", 1))
    node.run("virsh", "define", "/root/one.xml")
    node.start("one-7")
    node.run("ovs-vsctl", "set", "Port", "vnet0", "tag=77")


def settled(node: Node) -> dict[str, list[str]]:
    """The rows once vswitchd has made of all of them what it can."""
    node.run("ovs-vsctl", "--timeout=20", "set", "Open_vSwitch", ".", "external_ids:lab=settled", check=False)
    seen: list[dict[str, list[str]]] = [{}]

    def still() -> bool:
        seen.append(rows(node))
        return seen[-1] == seen[-2]

    assert soon(30, still)
    return seen[-1]


def test_nothing_foreign_is_touched(make_node: Callable[[str], Node]) -> None:
    node = make_node("foreign")
    everything_foreign(node)
    opennebula_guest(node)
    before = settled(node)
    status, checks = check(node)
    assert status == 1, "warnings about foreign errors, nothing critical"
    assert {code for code, each in checks.items() if each["state"] == "warn"} == {"OVS_PORT_FOREIGN_ERROR"}
    dormant = checks["OVS_PORT_DORMANT"]
    assert dormant["state"] == "ok"
    assert {each["id"] for each in dormant["objects"]} == {
        "br-int/tapoff",
        "br-int/tapcoming",
        "br-int/pf0vf3",
    }
    listed = {each["id"] for each in checks["OVS_PORT_FOREIGN_ERROR"]["objects"]}
    assert "br-ext/eth99" in listed
    assert not listed & {
        "br-int/vnet901",
        "br-int/vnet902",
        "br-int/vnet903",
        "br-ext/up0",
        "br-int/tap-hand",
    }
    assert fix(node) == 0
    assert fix(node, "--apply", "--force", "--yes") == 0
    # ofport and error are vswitchd's: for a patch port without a peer it changes its mind by itself.
    assert rows(node) == before
    assert node.run("hostagent", "history").stdout.startswith("Nothing was changed")
    assert node.run("ip", "link", "show", "tap-hand", check=False).returncode == 0
