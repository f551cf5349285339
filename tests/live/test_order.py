"""Starts and stops of a node in the right order, by systemd's journal, with the package and without."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.live import boots, cuts
from tests.live.look import alarms, check, signal

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.lab import Node

pytestmark = pytest.mark.lab

SIMPLE = """[Service]
Type=simple
ExecStart=/bin/sleep infinity
[Install]
WantedBy=multi-user.target
"""
NAMES = (
    "kolla-openvswitch_db-container kolla-openvswitch_vswitchd-container kolla-nova_libvirt-container".split()
)


def order(node: Node) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(
        node.run("hostagent", "order", "show", "--format", "json", check=False).stdout
    )
    return found


def deaf_guests(node: Node) -> None:
    """Two guests that ignore ACPI."""
    for number in (1, 2):
        node.guest(f"d{number}", bridge="br-int", vlan=number)
        node.start(f"d{number}")


def vnets(node: Node) -> list[str]:
    return [name for name in node.out("ovs-vsctl", "list-ports", "br-int").splitlines() if "vnet" in name]


def test_clean_reboots_with_guests_that_ignore_acpi(make_node: Callable[[str], Node]) -> None:
    node = make_node("ordered")
    cuts.install_units(node)
    node.write("/etc/systemd/system/nova-compute.service", SIMPLE)
    node.run("systemctl", "enable", "nova-compute.service")
    node.reboot()
    for _ in range(2):
        deaf_guests(node)
        node.reboot()
        assert boots.wrong_stops(boots.events(node, -1)) == []
        assert boots.wrong_starts(boots.events(node, 0)) == []
        assert "UNIT_NOVA_ORDER" in {each["code"] for each in order(node)["orders"]}
        assert vnets(node) == []
        assert alarms(node) <= {"DOMAIN_NOT_RESTARTED d1", "DOMAIN_NOT_RESTARTED d2"}
    deaf_guests(node)
    assert check(node)[0] == 0


def test_without_the_package_the_order_is_wrong(make_node: Callable[..., Node]) -> None:
    node = make_node("unordered", bare=True)
    deaf_guests(node)
    node.reboot()
    assert boots.wrong_stops(boots.events(node, -1)) != []
    assert vnets(node) != []


def test_what_is_shown(make_node: Callable[[str], Node]) -> None:
    node = make_node("shown")
    cuts.install_units(node)
    assert order(node)["right"]
    assert "all 5 orders are right" in node.out("hostagent", "order", "show")
    assert node.out("hostagent", "order", "show", "--format", "dot").startswith("digraph order {")
    assert node.run("hostagent", "ovs-ready").returncode == 0
    node.write("/etc/systemd/system/libvirt-guests.service.d/hostagent.conf", "[Unit]\n")
    node.run("systemctl", "daemon-reload")
    assert alarms(node) >= {"UNIT_GUESTS_ORDER libvirt-guests.service/libvirtd.service"}
    node.run("rm", "-r", "/etc/systemd/system/libvirt-guests.service.d")
    node.run("systemctl", "disable", "--now", "libvirt-guests")
    assert alarms(node) == {"UNIT_GUESTS_DISABLED"}
    node.run("systemctl", "enable", "--now", "libvirt-guests")
    assert alarms(node) == set()
    signal(node, "STOP", "ovs-vswitchd")
    done = node.run("hostagent", "ovs-ready", "--timeout", "1s", check=False)
    signal(node, "CONT", "ovs-vswitchd")
    assert done.returncode == 2
    assert "does not forward" in done.stderr


def test_units_of_other_names(make_node: Callable[[str], Node]) -> None:
    node = make_node("kolla")
    cuts.install_units(node)
    for name in NAMES:
        node.write(f"/etc/systemd/system/{name}.service", SIMPLE)
    node.run("systemctl", "daemon-reload")
    node.run("systemctl", "enable", "--now", *NAMES)
    assert not order(node)["right"]
    database, vswitchd, libvirt = (f"{name}.service" for name in NAMES)
    install = ["hostagent", "order", "install", "--ovs-unit", vswitchd, "--ovsdb-unit", database]
    install += ["--libvirt-unit", libvirt]
    assert "9 files changed" in node.out(*install)
    assert order(node)["right"], order(node)
    assert node.out(*install) == "0 files changed"
    assert node.out("systemctl", "is-active", *NAMES) == "active\nactive\nactive"
    node.reboot()
    assert order(node)["right"]
    assert boots.wrong_starts(boots.events(node, 0)) == []
    assert "cycle" not in node.run("journalctl", "-b", "--no-pager", "_PID=1").stdout
    assert "9 files changed" in node.out("hostagent", "order", "remove")
    assert node.run("ls", "/etc/systemd/system/libvirtd.service.d", check=False).returncode != 0
    assert not order(node)["right"]
