"""hostagent memory on a real node: a healthy one, guests of every kind, and a libvirt that hangs."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest

from tests.live.look import NOBODY, check, signal

if TYPE_CHECKING:
    from tests.lab import Node

pytestmark = pytest.mark.lab

MIB = 1 << 20
OURS = ("memory", "ksm", "cpu")


def memory(node: Node) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(node.run("hostagent", "memory", "--json").stdout)
    return found


def machine(name: str, inside: str) -> str:
    """A guest without a disk that stays in its firmware."""
    return (
        f"<domain type='qemu'><name>{name}</name><memory unit='MiB'>64</memory>"
        f"<currentMemory unit='MiB'>32</currentMemory><vcpu>2</vcpu>{inside}"
        "<os><type arch='x86_64' machine='pc'>hvm</type></os>"
        "<devices><video><model type='none'/></video></devices></domain>"
    )


def test_a_fresh_node_is_healthy(node: Node) -> None:
    code, checks = check(node, *OURS)
    assert code == 0
    assert {each: found["state"] for each, found in checks.items()} == dict.fromkeys(checks, "ok")
    assert len(checks) == 9
    found = memory(node)
    assert found["budget"]["guests"] == []
    assert found["budget"]["needed"] == 0
    assert node.run("hostagent", "memory").stdout.endswith("no guest runs\n")
    assert 'policy = "observe"' in node.run("cat", "/etc/hostagent/hostagent.toml").stdout.splitlines()


def test_guests_of_every_kind(node: Node) -> None:
    backings = {
        "plain": "",
        "apart": "<memoryBacking><nosharepages/></memoryBacking>",
        "shared": "<memoryBacking><source type='memfd'/><access mode='shared'/></memoryBacking>",
        "bound": "<numatune><memory mode='strict' nodeset='0'/></numatune>",
    }
    for name, inside in backings.items():
        node.write(f"/root/{name}.xml", machine(name, inside))
        node.run("virsh", "create", f"/root/{name}.xml")
    guests = {each["name"]: each for each in memory(node)["budget"]["guests"]}
    assert {name: (each["backing"], each["why"]) for name, each in guests.items()} == {
        "plain": ("elastic", []),
        "apart": ("fixed", ["nosharepages"]),
        "shared": ("fixed", ["memfd", "shared"]),
        "bound": ("elastic", []),
    }
    status = node.run("sh", "-c", "cat /proc/$(cat /run/libvirt/qemu/plain.pid)/status").stdout
    resident = int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS")))
    for each in guests.values():
        assert (each["maximum"], each["vcpus"]) == (64 * MIB, 2)
        assert each["overhead"] >= (50 + 16) * MIB + 64 * MIB // 512
        assert each["charge"] == each["maximum"] + each["overhead"]
        assert each["balloon"] in {32 * MIB, 64 * MIB}
        assert each["resident"] > 10 * MIB
        assert each["saved"] is not None
    assert guests["plain"]["resident"] == pytest.approx(resident << 10, rel=0.05)
    assert (guests["plain"]["node"], guests["bound"]["node"]) == (None, 0)
    assert (
        int(node.run("hostagent", "memory", "fits", "--memory", "64M", "--vcpus", "1", "--count").stdout) > 10
    )
    assert check(node, "memory", "ksm")[0] == 0
    for name in backings:
        node.run("virsh", "destroy", name)


def test_without_root(node: Node) -> None:
    """Everybody may ask libvirt for reading here; only KSM's figures of a process are root's."""
    node.write("/root/plain.xml", machine("plain", ""))
    node.run("virsh", "create", "/root/plain.xml")
    found = json.loads(node.run(*NOBODY, "sh", "-c", "cd / && hostagent memory --json").stdout)
    [guest] = found["budget"]["guests"]
    assert (guest["maximum"], guest["resident"] > 0) == (64 * MIB, True)
    node.run("virsh", "destroy", "plain")


def test_a_hung_libvirt_leaves_the_hosts_own_figures(node: Node) -> None:
    signal(node, "STOP", "libvirtd")
    try:
        began = time.monotonic()
        done = node.run("hostagent", "memory", "--timeout", "2s", check=False)
        assert time.monotonic() - began < 10
        assert done.returncode == 3
        assert "libvirt did not answer within 1.7 s" in done.stderr
        assert "the guests could not be read" in done.stdout
        code, checks = check(node, "--timeout", "2s", *OURS)
        assert code == 3
        assert checks["MEMORY_BUDGET_EXCEEDED"]["state"] == "unknown"
        assert checks["MEMORY_PRESSURE"]["state"] == "ok"
    finally:
        signal(node, "CONT", "libvirtd")
