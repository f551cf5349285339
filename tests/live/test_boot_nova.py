"""A nova-like client in a storm: nobody is suspended or resumed, all count, and no I/O limit is left."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.live import agent, storm_guests, storm_watch

if TYPE_CHECKING:
    from collections.abc import Callable
    from subprocess import Popen

    from tests.lab import Node

pytestmark = pytest.mark.lab
PLACE = "/srv/images"
METADATA = (
    '<nova:instance xmlns:nova="http://openstack.org/xmlns/libvirt/nova/1.1"><nova:name>i</nova:name>'
    "</nova:instance>"
)
NAMES = tuple(f"instance-{number:08x}" for number in range(12))
LIMIT = 2
SLOW = storm_watch.fixed(LIMIT, slow_managed=True, quiet_after_seconds=3.0)
PATIENCE = 60.0


@pytest.fixture(scope="module")
def node(make_node: Callable[..., Node]) -> Node:
    made = make_node("bnova", agent=True)
    storm_watch.watch(made)
    made.put(Path(__file__).with_name("storm_nova.py"), "/root/nova.py")
    storm_guests.define_bios(made, *NAMES, place=PLACE, metadata=METADATA)
    return made


def begin(node: Node, boot: dict[str, object]) -> tuple[Popen[str], float]:
    """Nobody runs; then nova starts all."""
    storm_guests.destroy(node, *NAMES)
    agent.configure(node, agent.settings(0.3, boot=boot))
    agent.until("nobody boots", lambda: not storm_watch.told(node)["guests"], seconds=PATIENCE)
    since = storm_watch.now(node)
    return node.popen("python3", "/root/nova.py", *NAMES, stdout=-1), since


def unharmed(node: Node, nova: Popen[str], since: float) -> None:
    """nova saw nothing, and nobody but nova paused or resumed a guest."""
    assert json.loads(nova.communicate(timeout=90)[0]) == {}
    assert storm_guests.running(node) >= set(NAMES)
    seen: dict[str, list[str]] = {name: [] for name in NAMES}
    for event in storm_watch.events(node, since=since):
        if event.name in seen and event.what in {"suspended", "resumed"}:
            seen[event.name].append(event.what)
    # A start that leaves the guest paused is told as a suspend; nova's resume follows.
    assert set(map(tuple, seen.values())) == {("suspended", "resumed")}
    assert storm_guests.paused(node) == set()


def limited(node: Node) -> set[str]:
    """Which guests have a limit on their disk."""
    ask = "virsh -q blkdeviotune {0} vda | grep -q 'total_iops_sec *: *[1-9]' && echo {0}"
    lines = "\n".join(ask.format(name) for name in NAMES)
    return set(node.run("sh", "-c", lines, check=False).stdout.split())


def test_counted_and_otherwise_left_alone(node: Node) -> None:
    nova, since = begin(node, storm_watch.fixed(LIMIT))
    agent.until("they are counted", lambda: storm_watch.in_flight(node) > LIMIT, seconds=PATIENCE)
    assert limited(node) == set()
    unharmed(node, nova, since)
    agent.until("all have settled", lambda: not storm_watch.told(node)["guests"], seconds=PATIENCE)
    assert storm_watch.told(node)["admissions"]["managed"] >= 1
    assert storm_watch.held_list(node) == {}


def test_slowed_where_the_site_wants_it(node: Node) -> None:
    nova, since = begin(node, SLOW)
    agent.until("some are slowed", lambda: bool(limited(node)), seconds=PATIENCE)
    slowed = [each["name"] for each in storm_watch.told(node)["guests"] if each["slowed_iops"]]
    assert slowed, "it is told"
    unharmed(node, nova, since)
    agent.until("all have settled", lambda: not storm_watch.told(node)["guests"], seconds=PATIENCE)
    assert limited(node) == set()
    assert storm_watch.held_list(node) == {}


@pytest.mark.parametrize("end", ["killed", "stopped"])
def test_no_limit_is_left(node: Node, end: str) -> None:
    """By the agent that comes back, or by the releaser."""
    nova, since = begin(node, SLOW)
    agent.until("some are slowed", lambda: bool(limited(node)), seconds=PATIENCE)
    if end == "stopped":
        node.run("systemctl", "stop", "hostagent.service")
    else:
        node.run("systemctl", "kill", "-s", "KILL", "hostagent.service")
    unharmed(node, nova, since)
    agent.until("no limit is left", lambda: limited(node) == set(), seconds=PATIENCE)
    agent.until("nor remembered", lambda: storm_watch.held_list(node) == {}, seconds=PATIENCE)
