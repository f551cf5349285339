"""Who is next: priorities, what starts after what, a parent that never comes, and room in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.live import agent, storm_guests, storm_watch
from tests.live.storm_flights import flights, releases
from tests.live.storm_watch import boot_of, domstate, state

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.lab import Node

pytestmark = pytest.mark.lab

PLACE = "/srv/images"
HEAVY = "heavy"
NAMES = ("low", "child", "parent", "high")
PATIENCE = 60.0
MIB = 1 << 20


@pytest.fixture(scope="module")
def node(make_node: Callable[..., Node]) -> Node:
    """A limit of one boot; nobody boots yet."""
    made = make_node("bgate-queue", agent=True)
    storm_watch.watch(made)
    configure(made)
    storm_guests.define_bios(made, *NAMES, HEAVY, place=PLACE)
    return made


def configure(node: Node, **memory: object) -> None:
    """Restart the agent; guests of 16 MiB have no more room than ``memory`` says.

    A guest's place is free just when it has settled: before, it is given to somebody who waits for nobody.
    """
    boot = storm_watch.fixed(1, quiet_samples=1)
    agent.configure(node, agent.settings(0.3, boot=boot, memory=memory))
    agent.until("it tells", lambda: storm_watch.told(node)["halted"] == "", seconds=PATIENCE)


def fresh(node: Node, *names: str) -> None:
    """Nobody runs; nobody is released, and these are held in this order."""
    storm_guests.destroy(node, *NAMES)
    agent.until("nobody boots", lambda: not storm_watch.told(node)["guests"], seconds=PATIENCE)
    node.run("hostagent", "boot", "hold", "--reason", "the test gathers them")
    for name in names:
        node.run("virsh", "-q", "start", name)
        agent.until("held", lambda: state(node, names[0]) == "held", seconds=PATIENCE)
    agent.until("all", lambda: {state(node, name) for name in names} == {"held"}, seconds=PATIENCE)


def test_priority_then_parents_then_first_come(node: Node) -> None:
    node.run("hostagent", "boot", "set", "child", "--priority", "9", "--after", "parent")
    node.run("hostagent", "boot", "set", "high", "--priority", "5")
    fresh(node, *NAMES)
    since = storm_watch.now(node)
    node.run("hostagent", "boot", "resume")
    agent.until("all are up", lambda: not storm_watch.told(node)["guests"], seconds=PATIENCE)
    went = releases(flights(storm_watch.events(node)))
    order = [name for at, name in went if at >= since]
    assert order == ["parent", "child", "high", "low"], "the child's parent has the child's priority"
    node.run("hostagent", "boot", "set", "child", "--clear")
    node.run("hostagent", "boot", "set", "high", "--clear")


def test_a_parent_that_never_comes(node: Node) -> None:
    """Off: the child waits dependency_seconds, and says for whom; then it starts, and that is said."""
    storm_guests.destroy(node, *NAMES)
    node.run("hostagent", "boot", "set", "child", "--after", "parent")
    node.run("virsh", "-q", "start", "child")
    agent.until("held", lambda: state(node, "child") == "held", seconds=PATIENCE)
    assert "starts after parent, which is not under way" in boot_of(node, "child")["reason"]
    agent.until("it goes on", lambda: domstate(node, "child") == "running", seconds=PATIENCE)
    assert "after 3 s without parent, which is not under way" in agent.log(node)
    node.run("hostagent", "boot", "set", "child", "--clear")


def test_memory_is_asked_before_a_release(node: Node) -> None:
    """An adopted guest that has no room waits, with the figure, and starts when there is some."""
    storm_guests.destroy(node, *NAMES)
    node.run("virsh", "-q", "autostart", HEAVY)
    node.run("hostagent", "boot", "adopt", HEAVY)
    node.run("systemctl", "stop", "hostagent.service")
    node.run("rm", "-f", "/run/hostagent/autostarted.json", "/var/lib/hostagent/ran.json")
    meminfo = node.read("/proc/meminfo").split()
    total = int(meminfo[meminfo.index("MemTotal:") + 1]) * 1024 // MIB
    configure(node, policy="enforce", ratio=1.0, reserved_mib=total - 32)
    agent.until("it waits", lambda: "MiB" in boot_of(node, HEAVY).get("reason", ""), seconds=PATIENCE)
    assert boot_of(node, HEAVY)["reason"].startswith("memory: ")
    assert domstate(node, HEAVY) == "shut off"
    configure(node, policy="enforce", ratio=1.0, reserved_mib=0)
    agent.until("it starts", lambda: domstate(node, HEAVY) == "running", seconds=PATIENCE)
