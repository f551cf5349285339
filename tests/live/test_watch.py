"""What wakes the agent, and the pulse, against real daemons that change, are restarted and hang."""

from __future__ import annotations

import json
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.live.look import signal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.lab import Node

pytestmark = pytest.mark.lab

PROBE = "/root/watch_probe.py"
SOON = 0.5  # seconds within which a change wakes
RESTARTS = 15  # of each daemon
DAEMONS = {
    "domains": ("libvirtd", "libvirt"),
    "ovs": ("ovsdb-server", "ovsdb"),
    "vswitchd": ("ovs-vswitchd", ""),
}


class Watching:
    """hostagent's watches in one process of the node."""

    def __init__(self, node: Node) -> None:
        self.node = node
        pipe = subprocess.PIPE
        self.process = node.popen("python3", PROBE, stdin=pipe, stdout=pipe, stderr=pipe)

    def ask(self, question: str) -> Any:
        return self.asked(question)["answer"]

    def asked(self, question: str) -> dict[str, Any]:
        assert self.process.stdin
        self.process.stdin.write(f"{question}\n")
        self.process.stdin.flush()
        return self._line()

    def woken(self, name: str, seconds: float = SOON) -> bool:
        return name in self.ask(f"wakes {name} {seconds}")

    def settle(self) -> None:
        """Until nothing has woken for a moment."""
        while self.ask("wakes none 0.2"):
            pass

    def end(self) -> list[str]:
        """Let it end by itself; the threads left. Nothing may have been said on stderr."""
        said, errors = self.process.communicate(timeout=60)
        assert (self.process.returncode, errors) == (0, "")
        left: list[str] = json.loads(said)["answer"]
        return left

    def _line(self) -> dict[str, Any]:
        assert self.process.stdout
        line = self.process.stdout.readline()
        assert line, self.process.stderr and self.process.stderr.read()
        found: dict[str, Any] = json.loads(line)
        return found


@pytest.fixture(scope="module")
def node(make_node: Callable[[str], Node]) -> Node:
    made = make_node("watch")
    made.put(Path(__file__).with_name("watch_probe.py"), PROBE)
    made.guest("a1", bridge="br-int", tap="tap-a1")
    return made


@pytest.fixture
def watching(node: Node) -> Iterator[Watching]:
    made = Watching(node)
    try:
        begin(made)
        yield made
    finally:
        left = made.end()
    assert left == ["MainThread"]


def begin(made: Watching) -> None:
    heard: set[str] = set()
    for name in ("links", "ovsdb", "libvirt"):
        if name not in heard:
            heard |= set(made.ask(f"wakes {name} 30"))
    assert heard == {"links", "ovsdb", "libvirt"}, "a watch that begins wakes once"
    assert made.ask("look 15") == {}
    made.settle()


def test_changes_wake(node: Node, watching: Watching) -> None:
    steps = (
        ("links", ("ip", "tuntap", "add", "dev", "tap-w", "mode", "tap")),
        ("links", ("ip", "link", "set", "tap-w", "up")),
        ("links", ("ip", "link", "del", "tap-w")),
        ("ovsdb", ("ovs-vsctl", "--no-wait", "add-port", "br-int", "tap-w", "tag=7")),
        ("ovsdb", ("ovs-vsctl", "--no-wait", "set", "Port", "tap-w", "tag=8")),
        ("ovsdb", ("ovs-vsctl", "--no-wait", "del-port", "tap-w")),
        ("libvirt", ("virsh", "-q", "start", "--paused", "a1")),
        ("libvirt", ("virsh", "-q", "resume", "a1")),
        ("libvirt", ("virsh", "-q", "metadata", "a1", "urn:x", "--key", "x", "--set", "<a/>")),
        ("libvirt", ("virsh", "-q", "destroy", "a1")),
    )
    for name, argv in steps:
        node.run(*argv)
        assert watching.woken(name), argv
        watching.settle()


def test_quiet_while_nothing_changes(watching: Watching) -> None:
    assert watching.ask("wakes none 2") == {}


def test_looks_do_not_wake(watching: Watching) -> None:
    for _ in range(3):
        assert watching.ask("look 15") == {}
        assert watching.ask("pulse 2") == []
    assert watching.ask("wakes none 0.3") == {}


@pytest.mark.parametrize("section", DAEMONS)
def test_hung_and_back(node: Node, watching: Watching, section: str) -> None:
    daemon, name = DAEMONS[section]
    signal(node, "STOP", daemon)
    try:
        pulse = watching.asked("pulse 3")
        assert section in pulse["answer"]
        assert pulse["took"] < 2.5
        assert watching.ask("look 1.5")[section] == "unresponsive"
        for _ in range(3):
            assert section not in watching.ask("pulse 0.5"), "it is known already"
    finally:
        signal(node, "CONT", daemon)
    begun = time.monotonic()
    while section not in watching.ask("pulse 2"):
        assert time.monotonic() - begun < 30
    assert section not in watching.ask("look 15")
    watching.settle()
    if name:
        change(node, name, 1)
        assert watching.woken(name)


@pytest.mark.parametrize(
    ("name", "unit"), [("libvirt", "libvirtd.service"), ("ovsdb", "ovsdb-server.service")]
)
def test_restarts_leave_nothing(node: Node, watching: Watching, name: str, unit: str) -> None:
    node.run("systemctl", "stop", "ovs-vswitchd.service")  # which would be restarted with it
    node.write(f"/run/systemd/system/{unit}.d/often.conf", "[Unit]\nStartLimitIntervalSec=0\n")
    node.run("systemctl", "daemon-reload")
    begun = watching.ask("size")
    for number in range(RESTARTS):
        node.run("systemctl", "restart", unit)
        assert watching.woken(name, 15)
        if number % 5 == 4:
            watching.ask("look 15")
    watching.settle()
    change(node, name, 2)
    assert watching.woken(name), "it watches the new daemon"
    ended = watching.ask("size")
    node.run("systemctl", "start", "openvswitch-switch.service")
    assert ended["threads"] <= begun["threads"]
    assert ended["descriptors"] <= begun["descriptors"] + 2


def change(node: Node, name: str, number: int) -> None:
    """Something small that the daemon tells about."""
    if name == "libvirt":
        node.run(
            "virsh",
            "-q",
            "define",
            "/dev/stdin",
            input=f"<domain type='qemu'><name>d{number}</name>"
            "<memory>8192</memory><os><type>hvm</type></os></domain>",
        )
    else:
        node.run("ovs-vsctl", "--no-wait", "set", "Bridge", "br-int", f"external_ids:watch={number}-{name}")
