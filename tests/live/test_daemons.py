"""Daemons stopped, hung or out of reach: the right states with the reason, in time, and no repair."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from tests.live.look import NOBODY, alarms, check, fix, last_run, rows, signal, without_purge

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.lab import Node

pytestmark = pytest.mark.lab


@pytest.fixture(scope="module")
def stale(make_node: Callable[[str], Node]) -> Node:
    """A node with one stale port that a fix would remove."""
    node = make_node("ill")
    without_purge(node)
    node.guest("a1", bridge="br-int", vlan=100, ip="10.1.0.1/24", mac="52:54:00:00:00:01")
    node.start("a1")
    node.run("sync")
    node.power_cut()
    node.boot()
    assert alarms(node) == {"OVS_PORT_STALE br-int/vnet0"}
    return node


@pytest.mark.parametrize(
    ("daemon", "code", "unknown"),
    [
        ("libvirtd", "LIBVIRT_UNRESPONSIVE", "OVS_PORT_STALE"),
        ("ovsdb-server", "OVS_DB_UNRESPONSIVE", "OVS_PORT_STALE"),
        ("ovs-vswitchd", "OVS_VSWITCHD_DOWN", "OVS_PORT_ERROR"),
    ],
)
def test_hung(stale: Node, daemon: str, code: str, unknown: str) -> None:
    before = rows(stale)
    signal(stale, "STOP", daemon)
    try:
        begun = time.monotonic()
        status, checks = check(stale, "--timeout", "6s")
        took = time.monotonic() - begun
        refused = fix(stale, "--apply")
    finally:
        signal(stale, "CONT", daemon)
    assert status == 2
    assert checks[code]["state"] == "crit"
    assert checks[unknown]["state"] == "unknown"
    assert took < 8, "the command ends within --timeout and its start-up"
    assert refused == 12
    stale.run("ovs-vsctl", "--timeout=20", "show")
    assert rows(stale) == before


@pytest.mark.parametrize(
    ("units", "code"),
    [
        (
            ("libvirtd.service", "libvirtd.socket", "libvirtd-ro.socket", "libvirtd-admin.socket"),
            "LIBVIRT_UNREACHABLE",
        ),
        (("ovs-vswitchd.service",), "OVS_VSWITCHD_DOWN"),
    ],
)
def test_stopped(stale: Node, units: tuple[str, ...], code: str) -> None:
    stale.run("systemctl", "stop", *units)
    try:
        status, checks = check(stale)
        refused = fix(stale, "--apply")
    finally:
        stale.run("systemctl", "start", "openvswitch-switch.service")
        stale.run("systemctl", "start", *reversed(units))
    assert status == 2
    assert checks[code]["state"] == "crit"
    assert refused == 12


def test_unprivileged(stale: Node) -> None:
    done = stale.run(*NOBODY, "hostagent", "check", "--live", check=False)
    assert done.returncode == 3
    assert "Traceback" not in done.stdout + done.stderr
    assert "ermission" in done.stdout + done.stderr
    done = stale.run(*NOBODY, "hostagent", "fix", "--apply", check=False)
    assert done.returncode == 12
    assert "root" in done.stdout + done.stderr


def test_then_it_is_repaired_and_undone(stale: Node) -> None:
    before = rows(stale)
    assert fix(stale, "--apply") == 0
    assert check(stale)[0] == 0
    assert "br-int/vnet0" in stale.run("hostagent", "history").stdout
    assert stale.run("hostagent", "undo", last_run(stale), check=False).returncode == 0
    assert rows(stale) == before
    assert alarms(stale) == {"OVS_PORT_STALE br-int/vnet0"}
