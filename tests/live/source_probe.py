"""hostagent's readers in a process of a node, and a node with something for each of them to read."""

from __future__ import annotations

import json
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.lab import Node

PROBE = "/root/probe.py"


class Probe:
    """hostagent's readers in one process of the node."""

    def __init__(self, node: Node, *user: str, ending: str = "_exit") -> None:
        argv = (*user, "python3", PROBE, ending)
        pipe = subprocess.PIPE
        self.process = node.popen(*argv, stdin=pipe, stdout=pipe, stderr=pipe)

    def look(self, seconds: float = 15.0) -> dict[str, Any]:
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(f"{seconds}\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        assert line, self.process.stderr and self.process.stderr.read()
        found: dict[str, Any] = json.loads(line)
        return found

    def end(self) -> float:
        """Let it end by itself; how long that took. Nothing may have been said on stderr."""
        began = time.monotonic()
        _, said = self.process.communicate(timeout=60)
        assert (self.process.returncode, said) == (0, "")
        return time.monotonic() - began


def troubles(look: dict[str, Any]) -> dict[str, str]:
    """The sections that could not be read, but for dhcp: absent where nobody serves it, tested by itself."""
    return {
        name: each["trouble"]
        for name, each in look.items()
        if isinstance(each, dict) and "trouble" in each and name != "dhcp"
    }


def fresh_troubles(look: dict[str, Any]) -> dict[str, str]:
    """The same without what a process that looked before may still have from five seconds ago."""
    return {name: trouble for name, trouble in troubles(look).items() if name != "guests_memory"}


def once(node: Node, *user: str, seconds: float = 15.0) -> dict[str, Any]:
    probe = Probe(node, *user)
    found = probe.look(seconds)
    probe.end()
    return found


def furnished(node: Node) -> Node:
    """The node with two guests that run and one that does not."""
    node.put(Path(__file__).with_name("probe.py"), PROBE)
    node.guest("a1", bridge="br-int", vlan=100, bandwidth=1000)
    node.guest("a2", bridge="br-ext", tap="tap-a2", disk=8)
    node.guest("off", bridge="br-int", tap="tap-off")
    node.start("a1", "a2")
    return node


def answering(node: Node) -> Iterator[Node]:
    """For a fixture: the node, with everything answering before and after the test."""
    assert troubles(once(node)) == {}
    yield node
    assert troubles(once(node)) == {}
