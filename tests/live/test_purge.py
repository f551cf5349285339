"""Power cuts with and without the boot's purge; what it must not touch, and what it may cost."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.live import cuts
from tests.live.look import alarms, check, rows, taps
from tests.live.nova import nova_like
from tests.live.test_untouched import everything_foreign

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.lab import Node

pytestmark = pytest.mark.lab

SEED = 4


def mark(node: Node) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(node.read("/run/hostagent/purge.json"))
    return found


def crits(node: Node) -> list[str]:
    return [code for code, each in check(node)[1].items() if each["state"] == "crit"]


def test_cuts_leave_nothing(make_node: Callable[[str], Node]) -> None:
    node = make_node("purge")
    cuts.install_units(node)
    for turn in cuts.plan(SEED, 3):
        result = cuts.play(node, turn, checked=True)
        assert result.good, result
        if turn.number:
            assert mark(node)["state"] == "done"
            assert mark(node)["seconds"] < 0.4 + 0.3, "0.4 s, and the interpreter's start"
    history = json.loads(node.out("hostagent", "history", "--json"))["runs"]
    assert [run["what"] for run in history] == ["purge"] * 3
    assert node.run("hostagent", "undo", history[-1]["id"], check=False).returncode == 12, "taps exist by now"


def test_the_same_cuts_without_the_package_fail(make_node: Callable[..., Node]) -> None:
    node = make_node("unpurged", bare=True)
    results = [cuts.play(node, turn, checked=False) for turn in cuts.plan(SEED, 3)]
    assert results[0].good, results[0]
    assert all(result.log_errors for result in results[1:]), results
    assert any(result.wrong_network for result in results[1:]), results
    assert any(result.failed_starts for result in results[1:]), results


def test_a_purge_is_undone(make_node: Callable[[str], Node]) -> None:
    node = make_node("undone")
    cuts.install_units(node)
    node.guest("u1", bridge="br-int", vlan=40, bandwidth=500)
    node.start("u1")
    before = rows(node)
    node.power_cut()
    node.boot()
    assert mark(node)["state"] == "done"
    assert not [row for row in rows(node)["Port"] if "vnet" in row]
    assert rows(node)["QoS"] == []
    assert alarms(node) == {"DOMAIN_NOT_RESTARTED u1"}
    assert node.run("hostagent", "undo", mark(node)["run"]).returncode == 0
    assert rows(node) == before
    assert node.run("hostagent", "fix", "--apply").returncode == 0


def test_what_is_not_libvirts_stays(make_node: Callable[[str], Node]) -> None:
    node = make_node("nova")
    cuts.install_units(node)
    everything_foreign(node)
    node.run(*"ovs-vsctl set Interface tapoff external_ids:ovn-installed=true".split())
    before = rows(node)
    for _ in range(3):
        node.power_cut()
        node.boot()
        assert mark(node)["state"] == "nothing", mark(node)
        assert rows(node) == before
        assert crits(node) == []


def test_a_nova_node_stays_as_it_is(make_node: Callable[[str], Node]) -> None:
    node = make_node("openstack")
    cuts.install_units(node)
    nova_like(node)
    before = rows(node)
    for _ in range(3):
        node.power_cut()
        node.boot()
        assert mark(node)["state"] == "nothing", mark(node)
        assert rows(node) == before
        assert crits(node) == []
        node.start("one-7")
        assert rows(node) == before
        assert crits(node) == []


def test_open_vswitch_restarted_under_guests(make_node: Callable[[str], Node]) -> None:
    node = make_node("restarted")
    cuts.install_units(node)
    node.reboot()
    node.guest("r1", bridge="br-int", vlan=7)
    node.start("r1")
    node.run("systemctl", "restart", "openvswitch-switch", timeout=90)
    first = mark(node)
    assert first["state"] == "nothing", "this boot's own, before r1; restarts do not run it again"
    node.run("rm", "/run/hostagent/purge.json")
    done = node.run("hostagent", "purge")
    assert "skipped" in done.stdout
    assert "is running" in mark(node)["reason"]
    assert taps(node, "r1") == {"r1": "vnet0"}
    assert node.run("ovs-vsctl", "port-to-br", "vnet0").stdout.strip() == "br-int"
    node.run("systemctl", "stop", "hostagent-purge.service")
    node.write("/etc/hostagent/stop", "")
    node.run("rm", "/run/hostagent/purge.json")
    node.run("systemctl", "start", "hostagent-purge.service")
    assert node.run("test", "-e", "/run/hostagent/purge.json", check=False).returncode == 1


HANG = """[Unit]
DefaultDependencies=no
After=ovsdb-server.service
Before=hostagent-purge.service
[Service]
Type=oneshot
ExecStart=/bin/sh -c 'kill -STOP $(cat /run/openvswitch/ovsdb-server.pid); (sleep 6.5; \
 kill -CONT $(cat /run/openvswitch/ovsdb-server.pid)) & '
KillMode=none
[Install]
WantedBy=hostagent-purge.service
"""


def test_a_purge_that_hangs_costs_five_seconds(make_node: Callable[[str], Node]) -> None:
    node = make_node("hung")
    cuts.install_units(node)
    node.write("/etc/systemd/system/hang.service", HANG)
    node.run("systemctl", "daemon-reload")
    node.run("systemctl", "enable", "hang.service")
    node.power_cut()
    node.boot()
    assert mark(node)["state"] == "failed"
    properties = "ActiveExitTimestampMonotonic,InactiveExitTimestampMonotonic,InactiveEnterTimestampMonotonic"
    shown = node.out("systemctl", "show", "-p", properties, "hostagent-purge.service")
    stamps = dict(line.split("=") for line in shown.splitlines())
    took = int(stamps["InactiveEnterTimestampMonotonic"]) - int(stamps["InactiveExitTimestampMonotonic"])
    assert 4.0e6 < took < 5.3e6, stamps
    assert node.out("systemctl", "is-active", "ovs-vswitchd", "libvirtd") == "active\nactive"
    assert check(node, "--timeout", "30s")[1]["UNIT_PURGE_FAILED"]["state"] == "warn"
