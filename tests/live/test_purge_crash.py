"""A purge that is killed at any record of its journal: the next fix ends its run, and nothing is left."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.lab.machine import Machine
from tests.lab.programs import run
from tests.live import cuts
from tests.live.look import alarms

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.lab import Node

pytestmark = pytest.mark.lab

LIBVIRT = (
    "libvirtd.service libvirtd.socket libvirtd-ro.socket libvirtd-admin.socket libvirtd-tcp.socket".split()
)
IDS = "external_ids:vm-id=00000000-0000-4000-8000-0000000000aa"
STALE = f"""ovs-vsctl --no-wait
 -- --id=@q create QoS type=linux-htb {IDS} external_ids:ifname=vnet90
 -- add-port br-int vnet90 tag=5 qos=@q -- set Interface vnet90 {IDS}
 -- add-port br-ext vnet91 -- set Interface vnet91 {IDS}""".split()


def test_killed_at_each_record(make_node: Callable[[str], Node]) -> None:
    node = make_node("killed")
    cuts.install_units(node)
    for when in range(1, 7):  # run, intent, begun, committed, results, done
        node.run("systemctl", "stop", *LIBVIRT)
        node.run("systemctl", "stop", "ovs-vswitchd")
        node.run("systemctl", "reset-failed")  # systemd counts starts
        node.run("systemctl", "start", "ovsdb-server")
        node.run(*STALE)
        node.run("rm", "-f", "/run/hostagent/purge.json")
        argv = Machine(node.name).enter(["hostagent", "purge"])
        inject = f"inject=fdatasync:signal=KILL:when={when}"
        traced = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=fdatasync", "-e", inject, *argv]
        done = run(traced, check=False, timeout=90, env=Machine(node.name).environment())
        assert done.returncode not in {0, 11, 12}, f"{when}: {done.stdout}{done.stderr}"
        assert json.loads(node.read("/run/hostagent/purge.json"))["state"] == "running"
        node.run("systemctl", "start", "openvswitch-switch", "libvirtd.socket", "libvirtd")
        node.run("hostagent", "fix", "--apply", timeout=120)
        assert alarms(node) == {"UNIT_PURGE_FAILED"}, when
        ports = node.out("ovs-vsctl", "list-ports", "br-int") + node.out("ovs-vsctl", "list-ports", "br-ext")
        assert "vnet" not in ports
        assert node.out("ovs-vsctl", "--bare", "--columns=_uuid", "list", "QoS") == ""
        runs = json.loads(node.out("hostagent", "history", "--json"))["runs"]
        assert all(each["finished"] for each in runs)
