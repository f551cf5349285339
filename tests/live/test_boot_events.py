"""What libvirt tells of boots, against a real one: events in their order, the connection, a guest's agent."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.lab import soon
from tests.live import boot_asked, boot_guest
from tests.live.boot_asked import Probe

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.lab import Node

pytestmark = pytest.mark.lab


@pytest.fixture(scope="module")
def node(make_node: Callable[[str], Node], tmp_path_factory: pytest.TempPathFactory) -> Node:
    return boot_asked.prepare(make_node("bsrc-events"), tmp_path_factory.mktemp("bsrc-events"))


@pytest.fixture
def probe(node: Node) -> Iterator[Probe]:
    made = Probe(node)
    yield made
    made.end()


def test_events_are_told_in_order(node: Node, probe: Probe, tmp_path: Path) -> None:
    uuid = boot_guest.define(node, "told", boot_asked.RAW)
    boot_guest.put(node, "/srv/told.qcow2", boot_guest.qcow2(), tmp_path)
    snapshots = boot_guest.define(
        node, "reverted", boot_guest.disk("<source file='/srv/told.qcow2'/>", kind="qcow2")
    )
    assert ("connected", "") in probe.told("", "connected")
    probe.told(uuid, "defined", 0.2)

    def heard(last: str, *argv: str, who: str = uuid) -> list[str]:
        node.run("virsh", "-q", *argv)
        return [" ".join(each).strip() for each in probe.told(who, last)]

    # libvirt has told of the running CPUs before it tells of the start.
    assert heard("started", "start", "told") == ["resumed unpaused", "started booted"]
    assert heard("suspended", "suspend", "told") == ["suspended paused"]
    assert heard("resumed", "resume", "told") == ["resumed unpaused"]
    assert heard("metadata", "metadata", "told", "urn:x", "--key", "x", "--set", "<a/>") == ["metadata"]
    assert heard("reboot", "reset", "told")[0] == "reboot", "and again when the firmware resets itself"
    assert heard("stopped", "destroy", "told")[-2:] == ["shutdown host", "stopped destroyed"]
    assert heard("suspended", "start", "--paused", "told") == ["started booted", "suspended paused"]
    assert heard("resumed", "resume", "told") == ["resumed unpaused"]
    assert heard("stopped", "save", "told", "/srv/told.save") == ["suspended paused", "stopped saved"]
    assert heard("resumed", "restore", "/srv/told.save") == ["started restored", "resumed snapshot"]
    assert heard("stopped", "managedsave", "told") == ["suspended paused", "stopped saved"]
    assert heard("resumed", "start", "told") == ["started restored", "resumed snapshot"]
    boot_asked.destroy(node, "told")
    heard("resumed", "start", "reverted", who=snapshots)
    node.run("virsh", "-q", "snapshot-create-as", "reverted", "s1")
    boot_asked.destroy(node, "reverted")
    probe.told(snapshots, "stopped")
    revert = ("snapshot-revert", "reverted", "s1")
    assert heard("defined", *revert, who=snapshots)[:2] == ["started snapshot", "resumed snapshot"]
    boot_asked.destroy(node, "reverted")
    node.run("virsh", "-q", "undefine", "told")
    assert ("undefined", "removed") in probe.told(uuid, "undefined")


def test_the_connection_is_told_of(node: Node, probe: Probe) -> None:
    assert ("connected", "") in probe.told("", "connected")
    node.run("systemctl", "restart", "libvirtd.service")
    told = probe.told("", "lost") + probe.told("", "connected")
    assert told == [("lost", ""), ("connected", "")]
    assert isinstance(probe.ask("guests"), list), "the reader has a new connection too"


def test_an_agent_that_connects_and_leaves(node: Node, probe: Probe, tmp_path: Path) -> None:
    uuid = boot_guest.define_with_agent(node, "agent", tmp_path)
    node.run("virsh", "-q", "start", "agent")
    assert not probe.ask("guest", uuid)["agent"]
    assert soon(60, lambda: probe.ask("guest", uuid)["agent"])
    assert soon(20, lambda: not probe.ask("guest", uuid)["agent"])
    told = [detail for event, detail in probe.told(uuid, "agent") if event == "agent"]
    assert told[:3] == ["disconnected", "connected", "disconnected"], "the first with the guest's start"
    boot_asked.destroy(node, "agent")
