"""`make bench`: what hostagent costs, as ratios of medians against a named alternative in the same run.

All of it runs inside one lab node, alternately, so that both sides see the same machine.
"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests import bench_agent, bench_dhcp, bench_memory, lab

if TYPE_CHECKING:
    from tests.lab import Node

DOMAINS = 100
STALE = 500
CONFIG = "/root/bench.toml"
IMPORTS = "import libvirt, ovs.db.idl, pyroute2"
PAIRED = """
import json, statistics, subprocess, sys, time
def once(argv):
    begun = time.perf_counter()
    done = subprocess.run(argv, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    return time.perf_counter() - begun, done.returncode
spec = json.load(sys.stdin)
figures = [[], []]
for turn in range(spec["turns"] + 1):
    for index, argv in enumerate(spec["commands"]):
        if spec["before"][index]:
            subprocess.run(spec["before"][index], check=True)
        seconds, status = once(argv)
        if status != spec["status"][index]:
            sys.exit(f"{argv}: exit {status}")
        if turn:
            figures[index].append(seconds)
print(json.dumps([statistics.median(each) for each in figures]))
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One line of the table: seconds of both sides, medians."""

    what: str
    ours: float
    against: str
    theirs: float
    target: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """A command to be timed, what puts the node in place before each turn, and its exit status."""

    argv: tuple[str, ...]
    before: tuple[str, ...] = ()
    status: int = 0


def paired(node: Node, ours: Side, theirs: Side, *, turns: int) -> tuple[float, float]:
    """Medians in seconds of both commands, run in turn inside the node after one uncounted round."""
    spec = {
        "turns": turns,
        "commands": [ours.argv, theirs.argv],
        "before": [ours.before, theirs.before],
        "status": [ours.status, theirs.status],
    }
    done = node.run("python3", "-c", PAIRED, input=json.dumps(spec), timeout=900)
    first, second = json.loads(done.stdout)
    return first, second


def looking(node: Node) -> Figure:
    """check --live with many domains against the interpreter that imports what it needs."""
    for number in range(DOMAINS):
        node.guest(f"bench{number}", bridge="br-int", tap=f"tapbench{number}")
        node.run("virsh", "-q", "start", "--paused", f"bench{number}")
    check = Side(argv=("hostagent", "check", "--live"))
    ours, theirs = paired(node, check, Side(argv=("python3", "-c", IMPORTS)), turns=11)
    return Figure(
        what=f"check --live, {DOMAINS} domains",
        ours=ours,
        against=f"python3 -c '{IMPORTS}'",
        theirs=theirs,
        target="at most 3",
    )


def stale_scripts(node: Node) -> None:
    """Write the programs that make and delete stale rows in the node."""
    ids = "external_ids:vm-id=00000000-0000-4000-8000-000000000001"
    add = "".join(
        f" -- add-port br-int vnet{5000 + n} tag=7 -- set Interface vnet{5000 + n} {ids}"
        for n in range(STALE)
    )
    names = " ".join(f"vnet{5000 + n}" for n in range(STALE))
    node.write("/root/add", f"#!/bin/sh\nexec ovs-vsctl{add}\n", mode="755")
    node.write("/root/loop", f"#!/bin/sh\nfor p in {names}; do ovs-vsctl del-port $p; done\n", mode="755")
    once = "".join(f" -- del-port vnet{5000 + n}" for n in range(STALE))
    node.write("/root/once", f"#!/bin/sh\nexec ovs-vsctl{once}\n", mode="755")
    node.write(CONFIG, "[looks]\ngrace_seconds = 0.0\n")


def repairing(node: Node) -> list[Figure]:
    """500 stale ports: the whole command, verified and journalled, against ovs-vsctl's two ways."""
    stale_scripts(node)
    fix = ("hostagent", "--config", CONFIG, "fix", "OVS_PORT_STALE", "--apply", "--force")
    ours = Side(argv=fix, before=("/root/add",))
    loop, once = (Side(argv=(f"/root/{name}",), before=("/root/add",)) for name in ("loop", "once"))
    figures = []
    for side, words, turns, target in (
        (loop, "one ovs-vsctl per port", 1, "at most 0.02"),
        (once, "one ovs-vsctl call", 5, "at most 12"),
    ):
        mine, theirs = paired(node, ours, side, turns=turns)
        what = f"fix --apply, {STALE} stale ports"
        figures.append(Figure(what=what, ours=mine, against=words, theirs=theirs, target=target))
    return [*figures, connected(node, theirs)]


CONNECTED = """
import statistics, subprocess, time
from hostagent.act.executor import Executor
from hostagent.config import Settings
from hostagent.decide.drift import find_drift
from hostagent.decide.repair import plan_repair
from hostagent.sources.gather import Gatherer
settings = Settings()
gatherer = Gatherer(settings)
executor = Executor(settings, gatherer.look)
figures = []
for turn in range(6):
    gatherer.look()
    subprocess.run(["/root/add"], check=True)
    begun = time.perf_counter()
    snapshot = gatherer.look()
    plan = plan_repair(find_drift(snapshot), snapshot, limits=settings.repair, force=True)
    outcome = executor.apply(plan, who="bench")
    figures.append(time.perf_counter() - begun)
    assert outcome.done and len(outcome.results) == %d, outcome
print(statistics.median(figures[1:]))
gatherer.close()
"""


def connected(node: Node, theirs: float) -> Figure:
    """The same inside a process whose sources are connected: observe, plan, apply, verify."""
    ours = float(node.run("python3", "-c", CONNECTED % STALE, timeout=300).stdout)
    what = f"the same, sources connected, {STALE} stale"
    return Figure(what=what, ours=ours, against="one ovs-vsctl call", theirs=theirs, target="at most 4")


def deaf(node: Node) -> Figure:
    """Many dead-RX repairs at once against one: the barrier is paid once."""

    def remake(count: int) -> tuple[str, ...]:
        script = "".join(
            f"ip link del tapbench{n}; ip tuntap add dev tapbench{n} mode tap; ip link set tapbench{n} up; "
            for n in range(count)
        )
        node.write(f"/root/remake{count}", f"#!/bin/sh\n{script}\nsleep 1\n", mode="755")
        return (f"/root/remake{count}",)

    fix = ("hostagent", "--config", CONFIG, "fix", "OVS_PORT_DEAD_RX", "--apply", "--force")
    many = Side(argv=fix, before=remake(DOMAINS))
    one = Side(argv=fix, before=remake(1))
    ours, theirs = paired(node, many, one, turns=3)
    return Figure(
        what=f"fix --apply, {DOMAINS} dead-RX ports",
        ours=ours,
        against="one dead-RX port",
        theirs=theirs,
        target="at most 3",
    )


def main() -> int:
    """Boot a node, measure, print the table."""
    node = lab.up("bench", owner=os.getpid())
    try:
        figures = [*repairing(node), looking(node), deaf(node)]
    finally:
        node.down()
    print(f"{'what':<40} {'seconds':>8}   {'against':<58} {'seconds':>8} {'ratio':>7}  target")
    for each in figures:
        ratio = each.ours / each.theirs
        row = f"{each.what:<40} {each.ours:>8.3f}   {each.against:<58} {each.theirs:>8.3f} {ratio:>7.3f}"
        print(f"{row}  {each.target}")
    for part in (bench_agent.latency, bench_agent.cost, bench_memory.memory, bench_dhcp.lines):
        print("\n".join(part()), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
