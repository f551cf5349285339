"""A node's libvirt as pacing reads it, through a process of the node that stays."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.live import boot_guest

if TYPE_CHECKING:
    from tests.lab import Node

PROBE = "/srv/boot_probe.py"
IMAGE = "/srv/a.img"
RAW = boot_guest.disk(f"<source file='{IMAGE}'/>")


class Probe:
    """What pacing reads, in a process of the node."""

    def __init__(self, node: Node, *before: str) -> None:
        pipe = subprocess.PIPE
        self.process = node.popen(*before, "python3", PROBE, stdin=pipe, stdout=pipe, stderr=pipe)

    def ask(self, *words: object) -> Any:
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(" ".join(map(str, words)) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        assert line, self.process.stderr and self.process.stderr.read()
        return json.loads(line)

    def told(self, uuid: str, event: str, seconds: float = 20.0) -> list[tuple[str, str]]:
        """What one guest was told to do since this was asked last, up to an event that is waited for."""
        found = self.ask("told", seconds, event, uuid)
        return [(event, detail) for who, event, detail in found if who == uuid]

    def end(self) -> None:
        _, said = self.process.communicate(timeout=20)
        assert (self.process.returncode, said) == (0, "")


def prepare(node: Node, folder: Path) -> Node:
    """The node with what is asked and a disk to boot from."""
    node.put(Path(__file__).with_name("boot_probe.py"), PROBE)
    boot_guest.put(node, IMAGE, boot_guest.raw(), folder)
    return node


def destroy(node: Node, *names: str) -> None:
    for name in names:
        node.run("virsh", "-q", "destroy", name, check=False)
