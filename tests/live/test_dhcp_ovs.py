"""Probe ports on an OVS bridge, in a node with real vswitchd and Debian's own libraries."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.live.look import rows

if TYPE_CHECKING:
    from tests.lab import Node

pytestmark = pytest.mark.lab

_PROBE = """
import json, sys
from hostagent.act.dhcp.probe import probe_unicast, remove_leftovers
from hostagent.config import Settings
from hostagent.model.dhcp import ProbeTarget
if sys.argv[1] == "remove":
    print(json.dumps(remove_leftovers(Settings())))
while sys.argv[1] != "remove":
    target = ProbeTarget(network="net", namespace="", link="br-dhcp", kind="ovs-bridge", server="10.78.0.1",
                         prefix="10.78.0.0/24", vlan=int(sys.argv[2]))
    report = probe_unicast(target, Settings())
    print(json.dumps({"outcome": report.outcome, "detail": report.detail}), flush=True)
    if sys.argv[1] == "once":
        break
"""


def python(node: Node, *words: str) -> Any:
    return json.loads(node.run("python3", "-c", _PROBE, *words).stdout)


@pytest.fixture(scope="module", autouse=True)
def network(node: Node) -> None:
    """VLAN 10 on br-dhcp, with a gateway port that dnsmasq serves."""
    node.run(
        *"ovs-vsctl add-br br-dhcp -- set bridge br-dhcp datapath_type=netdev -- add-port br-dhcp gw tag=10 "
        "-- set interface gw type=internal".split()
    )
    node.run(*"ip addr add 10.78.0.1/24 dev gw".split())
    node.run(*"ip link set gw up".split())
    node.run(
        *"dnsmasq --conf-file=/dev/null --port=0 --bind-interfaces --interface=gw --except-interface=lo "
        "--dhcp-range=10.78.0.2,10.78.0.200,2m --dhcp-leasefile=/run/gw.leases --pid-file=/run/gw.pid".split()
    )


def links(node: Node) -> str:
    return node.run("ip", "-br", "link").stdout


def test_a_probe_goes_into_the_networks_vlan_and_leaves_nothing(node: Node) -> None:
    before = rows(node), links(node)
    assert python(node, "once", "10")["outcome"] == "ok"
    assert python(node, "once", "20") == {"outcome": "dead", "detail": "10.78.0.1 does not answer ARP"}
    assert (rows(node), links(node)) == before


def test_a_killed_probes_port_is_removed_at_the_next_start(node: Node) -> None:
    before = rows(node), links(node)
    removed = 0
    for tenths in (5, 6, 7, 8, 9):
        words = ("timeout", "-s", "KILL", f"0.{tenths}", "python3", "-c", _PROBE, "for ever", "10")
        node.run(*words, check=False)
        removed += python(node, "remove")
        assert (rows(node), links(node)) == before
    assert removed  # at least one was killed while it had a port
    assert python(node, "once", "10")["outcome"] == "ok"


def test_drift_checks_do_not_see_a_probes_port(node: Node) -> None:
    """It is marked as every port that is nobody's business (DRIFT, external_ids:hostagent=ignore)."""
    removed = 0
    for tenths in (5, 6, 7, 8, 9):
        words = ("timeout", "-s", "KILL", f"0.{tenths}", "python3", "-c", _PROBE, "for ever", "10")
        node.run(*words, check=False)
        if "hadhcp" in node.run("ovs-vsctl", "list-ports", "br-dhcp").stdout:
            shown = node.run("hostagent", "check", "--live", "--format", "json", check=False).stdout
            assert "hadhcp" not in shown
            removed += python(node, "remove")
            break
    assert removed
