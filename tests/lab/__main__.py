"""The lab's command line. Others script against it: see `python -m tests.lab --help`."""

import argparse
import os
import subprocess
import sys
from pathlib import Path
from typing import Final

from tests.lab import layers, lifecycle, links, record
from tests.lab.machine import Machine
from tests.lab.node import Node
from tests.lab.paths import STATE, checked_name
from tests.lab.programs import LabError
from tests.lab.record import Record

_HELP: Final = {
    "build": "build the image and hostagent's layer, as far as missing",
    "up": "a running node with this checkout's hostagent",
    "exec": "run a program in a node",
    "put": "copy a file into a node",
    "power-cut": "kill all of a node at once; its disk stays",
    "boot": "start a node from its disk",
    "reboot": "stop a node cleanly and start it",
    "down": "remove a node",
    "list": "the nodes of this checkout",
    "shell": "a shell in a node",
    "link": "a veth between two nodes",
}


def parser() -> argparse.ArgumentParser:
    whole = argparse.ArgumentParser(prog="python -m tests.lab", description="Compute nodes in containers.")
    commands = whole.add_subparsers(dest="command", required=True, metavar="COMMAND")
    each = {name: commands.add_parser(name, help=text, description=text) for name, text in _HELP.items()}
    for name in ("up", "exec", "put", "power-cut", "boot", "reboot", "down", "shell"):
        each[name].add_argument("node", metavar="NAME")
    each["up"].add_argument("--bare", action="store_true", help="without hostagent")
    each["up"].add_argument("--owner", type=int, metavar="PID", help="the node may go when this process ends")
    each["exec"].add_argument("argv", nargs=argparse.REMAINDER, metavar="-- ARGV")
    each["put"].add_argument("file", type=Path)
    each["put"].add_argument("path")
    each["power-cut"].add_argument("--lose", type=int, default=0, metavar="N", help="OVSDB records to lose")
    each["link"].add_argument("first", metavar="A")
    each["link"].add_argument("second", metavar="B")
    return whole


def enter(name: str, argv: list[str]) -> None:
    """Become the program in the node: exit status, input and output are its own."""
    machine = Machine(checked_name(name))
    command = machine.enter(argv)
    sys.stdout.flush()
    os.execvpe(command[0], command, machine.environment())


def show() -> None:
    rows = [("NAME", "STATE", "LEADER", "OWNER", "HOSTAGENT", "LINKS")]
    for name in record.names():
        known = Record.read(STATE / name)
        leader = Machine(name).cgroup.leader()
        if known is not None:
            owner = str(known.owner.pid) if known.owner else "-"
            agent = Path(known.agent).parent.name.removeprefix("agent-") if known.agent else "-"
            peers = ",".join(f"{end.peer}={end.address}" for end in known.links) or "-"
            rows.append((name, "running" if leader else "off", str(leader or "-"), owner, agent, peers))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def obey(words: argparse.Namespace) -> None:
    match words.command:
        case "build":
            lifecycle.reap()
            layers.ensure(bare=False)
        case "up":
            lifecycle.up(words.node, bare=words.bare, owner=words.owner)
        case "exec":
            argv = words.argv[1:] if words.argv[:1] == ["--"] else words.argv
            if not argv:
                raise LabError("exec NAME -- ARGV…: no program given")
            enter(words.node, argv)
        case "put":
            Node(checked_name(words.node)).put(words.file, words.path)
        case "power-cut":
            lifecycle.power_cut(words.node, words.lose)
        case "boot":
            lifecycle.boot(words.node)
        case "reboot":
            lifecycle.reboot(words.node)
        case "down":
            lifecycle.down(words.node)
        case "list":
            lifecycle.reap()
            show()
        case "shell":
            enter(words.node, ["bash", "--login"])
        case "link":
            lifecycle.reap()
            end = links.link(words.first, words.second)
            print(f"{words.first} {end.device} {end.address}/30 -- {end.peer_address}/30 {words.second}")


def main() -> int:
    words = parser().parse_args()
    try:
        obey(words)
    except LabError as error:
        print(f"lab: {error}", file=sys.stderr)
        return 1
    except (OSError, subprocess.SubprocessError) as error:
        print(f"lab: {words.command}: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
