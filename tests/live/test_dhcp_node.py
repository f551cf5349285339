"""A node whose libvirt serves a network: quiet as it is, and what is said when something goes wrong."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest

from tests.live.look import check

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.lab import Node

pytestmark = pytest.mark.lab

NETWORK = (
    "<network><name>lan</name><bridge name='virbr9'/><ip address='10.77.1.1' netmask='255.255.255.0'>"
    "<dhcp><range start='10.77.1.50' end='10.77.1.99'><lease expiry='2' unit='minutes'/></range></dhcp>"
    "</ip></network>"
)
LAN, OTHER = "lan/10.77.1.1", "br2/10.77.2.1"
SECOND = (
    "dnsmasq --conf-file=/dev/null --port=0 --except-interface=lo --dhcp-range=10.77.2.50,10.77.2.99 "
    "--pid-file=/run/second.pid --dhcp-leasefile=/run/second.leases --bind-interfaces "
    "--listen-address=10.77.2.1"
)


@pytest.fixture(scope="module")
def served(node: Node) -> Node:
    """The node with libvirt's network, which starts with the host."""
    node.write("/root/lan.xml", NETWORK)
    for words in ("net-define /root/lan.xml", "net-start lan", "net-autostart lan"):
        node.run("virsh", *words.split())
    node.run(
        "sh", "-c", "ip link add br2 type bridge && ip addr add 10.77.2.1/24 dev br2 && ip link set br2 up"
    )
    return node


def dhcp(node: Node, *arguments: str) -> dict[str, tuple[str, set[str]]]:
    """Every code of DHCP that is neither ok nor skipped: state and objects."""
    found = check(node, "dhcp", *arguments)[1]
    return {
        code: (each["state"], {one["id"] for one in each["objects"]})
        for code, each in found.items()
        if each["state"] not in {"ok", "skip"}
    }


def pid(node: Node, path: str) -> str:
    return node.read(path).strip()


def until(true: Callable[[], bool]) -> None:
    ends = time.monotonic() + 30
    while not true():
        assert time.monotonic() < ends
        time.sleep(0.05)


def test_libvirts_network_is_quiet(served: Node) -> None:
    code, found = check(served, "--full")
    assert code == 0
    states = {name: each["state"] for name, each in found.items() if name.startswith("DHCP_")}
    assert states.pop("DHCP_LEASES_LOST") == "skip"
    assert states == dict.fromkeys(states, "ok")
    assert len(states) == 8


def test_status_and_probe(served: Node) -> None:
    traces = ("sh", "-c", "ip -o link; tr -d '[]\\n ' </var/lib/libvirt/dnsmasq/virbr9.status")
    before = served.run(*traces).stdout
    document: dict[str, Any] = json.loads(served.run("hostagent", "dhcp", "status", "--json").stdout)
    (network,) = document["networks"]
    assert (network["network"], network["link"], network["keeper"]) == ("lan", "virbr9", "libvirt")
    assert network["pid"] == int(pid(served, "/run/libvirt/network/lan.pid"))
    said = served.run("hostagent", "dhcp", "probe", "lan", "--renew").stdout
    assert "DISCOVER" in said
    assert "RELEASE" in said
    assert "lan/10.77.1.1 renew ok" in said
    # libvirt's helper takes note of what was given back a moment later
    until(lambda: served.run(*traces).stdout == before)
    assert dhcp(served) == {}


def test_an_unbound_neighbour_and_its_remedy(served: Node) -> None:
    served.run(*SECOND.split())
    second = pid(served, "/run/second.pid")
    assert dhcp(served) == {"DHCP_SOCKET_UNBOUND": ("crit", {LAN, OTHER})}
    found = dhcp(served, "--full")  # asked again although it has just answered
    assert found["DHCP_RENEWAL_DEAD"] == ("crit", {LAN})
    detail = check(served, "DHCP_SOCKET_UNBOUND")[1]["DHCP_SOCKET_UNBOUND"]["objects"][0]["detail"]
    assert f"dnsmasq (process {second}): add --interface=br2 and restart it" in detail
    served.run("kill", second)
    served.run(*SECOND.split(), "--interface=br2")
    until(lambda: "DHCP_SOCKET_UNBOUND" not in dhcp(served, "--full"))
    assert dhcp(served, "--full") == {}
    served.run("kill", pid(served, "/run/second.pid"))


def test_a_server_that_hangs_or_is_gone(served: Node) -> None:
    server = pid(served, "/run/libvirt/network/lan.pid")
    served.run("kill", "-STOP", server)
    assert dhcp(served) == {"DHCP_SERVER_STUCK": ("crit", {LAN})}
    served.run("kill", "-CONT", server)
    until(lambda: dhcp(served) == {})
    served.run("kill", "-KILL", server)
    until(lambda: dhcp(served) == {"DHCP_SERVER_MISSING": ("crit", {LAN})})
    served.run("systemctl", "restart", "libvirtd")
    until(lambda: dhcp(served) == {})


def test_a_network_that_should_have_started(served: Node) -> None:
    served.run("virsh", "net-destroy", "lan")
    assert dhcp(served) == {"DHCP_SERVER_MISSING": ("warn", {LAN})}
    served.run("virsh", "net-autostart", "lan", "--disable")
    code, found = check(served, "dhcp")
    assert {each["state"] for each in found.values()} == {"skip"}
    assert code == 3  # nothing was asked that this node has
