"""The agent and DHCP, under its own unit: it tries renewals by itself, watches them, and leaves nothing."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from tests.live import agent
from tests.live.test_dhcp_node import NETWORK

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.lab import Node

pytestmark = pytest.mark.lab

FIRST = 60.0  # a network is asked within 10 s after the agent has seen it, one after another; STP takes 4 s
PLACES = """
ip netns add lan
ip -n lan link add br1 type bridge
ip -n lan addr add 10.77.3.1/24 dev br1
ip -n lan link set br1 up
ip -n lan link add port1 type veth peer name guest1
ip -n lan link set guest1 up
ip -n lan link set port1 master br1 up
ovs-vsctl add-br br-dhcp -- set bridge br-dhcp datapath_type=netdev
ovs-vsctl add-port br-dhcp gw tag=10 -- set interface gw type=internal
ip addr add 10.78.0.1/24 dev gw
ip link set gw up
"""
SERVE = (
    "dnsmasq --conf-file=/dev/null --port=0 --except-interface=lo --no-ping --bind-interfaces "
    "--dhcp-range={range},2m --pid-file=/run/{name}.pid --dhcp-leasefile=/run/{name}.leases {how}"
)


LAN, OVS = "lan/10.77.1.1", "gw/10.78.0.1"


def serve(node: Node, name: str, network: str, how: str, namespace: str = "") -> None:
    """A dnsmasq for NETWORK.0/24."""
    words = SERVE.format(name=name, range=f"{network}.50,{network}.99", how=how).split()
    node.run(*(("ip", "netns", "exec", namespace) if namespace else ()), *words)


def verdicts(node: Node) -> dict[str, dict[str, str]]:
    """What the agent says of each network, layer by layer."""
    return {
        f"{each['network']}/{each['server']}": {one["layer"]: one["state"] for one in each["verdicts"]}
        for each in agent.published(node)["dhcp"]
    }


def forget(node: Node) -> None:
    """Stop the agent and remove its reports: from its next start on it knows of no probe."""
    node.run("systemctl", "stop", "hostagent.service")
    node.run("rm", "-f", "/run/hostagent/dhcp-probes.json")


def traces(node: Node) -> list[str]:
    """Links everywhere and rows: what a probe must leave as it was."""
    rows = "ovs-vsctl --format=csv --columns=name,external_ids list Port | sort"
    links = "ip -br link; ip -n lan -br link"
    # Without the states, which a new bridge finds by and by.
    return node.run("sh", "-c", f"({links}) | awk '{{print $1, $3}}'; {rows}").stdout.splitlines()


@pytest.fixture(scope="module")
def node(make_node: Callable[..., Node]) -> Node:
    """libvirt's network, one in a namespace, one on Open vSwitch; then the agent starts anew."""
    made = make_node("dhcp-agent", agent=True)
    agent.until("quiet as it came", lambda: made.run("hostagent", "check").returncode == 0, seconds=30)
    made.write("/root/lan.xml", NETWORK)
    made.run("virsh", "net-define", "/root/lan.xml")
    made.run("virsh", "net-start", "lan")
    made.run("sh", "-ec", PLACES)
    serve(made, "three", "10.77.3", "--interface=br1", namespace="lan")
    serve(made, "gw", "10.78.0", "--interface=gw")
    made.run("systemctl", "restart", "hostagent.service")
    return made


def test_every_network_is_asked_soon_and_nothing_is_left(node: Node) -> None:
    before = traces(node)
    fine = {"socket": "ok", "lease": "ok", "unicast": "ok"}
    wanted = dict.fromkeys((LAN, "lan:br1/10.77.3.1", OVS), fine)
    agent.until("all are asked", lambda: verdicts(node) == wanted, seconds=FIRST)
    assert traces(node) == before
    woken = agent.published(node)["cost"]["wakes"]
    assert woken["dhcp"] == 3  # once for each verdict
    assert woken["links"] + woken["ovsdb"] < 60  # the probes' own ports, and the agent's start
    shown = node.run("hostagent", "dhcp", "status").stdout
    assert shown.count("unicast ok") == 3
    series = agent.scrape(node)[1]
    assert series['hostagent_dhcp_verdict{layer="unicast",network="lan",server="10.77.1.1"}'] == 0
    assert series['hostagent_dhcp_probe_latency_seconds{layer="unicast",network="gw",server="10.78.0.1"}'] > 0
    states = {each["code"]: each["state"] for each in agent.published(node)["report"]["checks"]}
    assert states["DHCP_RENEWAL_DEAD"] == states["DHCP_RENEWAL_SPLIT"] == "ok"
    assert "warn" not in states.values()
    assert "crit" not in states.values()


def test_a_thief_is_reported_and_a_killed_probe_leaves_nothing(node: Node) -> None:
    before = traces(node)
    forget(node)
    node.run("sh", "-ec", "ip link add br2 type bridge; ip addr add 10.77.2.1/24 dev br2; ip link set br2 up")
    serve(node, "thief", "10.77.2", "--listen-address=10.77.2.1")
    node.run("systemctl", "start", "hostagent.service")
    node.run(
        "sh",
        "-c",
        "until ovs-vsctl list-ports br-dhcp | grep -q hadhcp; do :; done; "
        "kill -KILL $(systemctl show --value -p MainPID hostagent)",
    )
    assert "hadhcp" in node.run("ovs-vsctl", "list-ports", "br-dhcp").stdout
    agent.until("it is removed", lambda: "DHCP probe had left behind: 1 ports" in agent.log(node), seconds=30)
    agent.until("it is said", lambda: agent.state(node, "DHCP_RENEWAL_DEAD") == "crit", seconds=FIRST)
    agent.until(
        "of both",
        lambda: {verdicts(node)[each].get("unicast") for each in (LAN, OVS)} == {"crit"},
        seconds=FIRST,
    )
    assert verdicts(node)["lan:br1/10.77.3.1"]["socket"] == "ok"
    assert agent.state(node, "DHCP_SOCKET_UNBOUND") == "crit"
    drift = [each for each in agent.published(node)["report"]["checks"] if "hadhcp" in str(each)]
    assert drift == []
    assert node.run("hostagent", "history").stdout.count("hadhcp") == 0
    node.run("sh", "-ec", "kill $(cat /run/thief.pid); ip link del br2")
    assert traces(node) == before


def test_a_stop_in_a_probe_takes_no_longer_and_leaves_nothing(node: Node) -> None:
    before = traces(node)
    forget(node)
    node.run("systemctl", "start", "hostagent.service")
    agent.until("a probe", lambda: "hadhcp" in node.run("ip", "link").stdout, seconds=FIRST)
    began = time.monotonic()
    node.run("systemctl", "stop", "hostagent.service")
    assert time.monotonic() - began < 3
    assert traces(node) == before
