"""A daemon hangs: the agent says so, scrapes stay quick, nothing is repaired blindly, and it recovers.

Two minutes of each run as ``make soak-agent``; here it is long enough to be seen and to be acted upon.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from tests.live import agent, look

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.lab import Node

pytestmark = [pytest.mark.lab, pytest.mark.alone]  # a scrape has 0.1 s

SECTIONS = {"libvirtd": "domains", "ovsdb-server": "ovs", "ovs-vswitchd": "vswitchd"}
SHOWN_SECONDS, BACK_SECONDS, SCRAPE_SECONDS = 10.0, 5.0, 0.1
HANG_SECONDS = 9.0


@pytest.fixture(scope="module")
def node(make_node: Callable[..., Node]) -> Node:
    """One running guest under an agent with the package's settings, but for the grace."""
    made = make_node("hung-agent", agent=True)
    made.guest("g1", bridge="br-int", vlan=40)
    made.start("g1")
    agent.configure(made, agent.settings(0.5))
    agent.until("all is well", lambda: agent.published(made)["report"]["status"] == "ok", seconds=30)
    return made


@pytest.mark.parametrize("daemon", SECTIONS)
def test_a_hung_daemon(node: Node, daemon: str) -> None:
    hang(node, daemon, HANG_SECONDS)


def hang(node: Node, daemon: str, seconds: float) -> None:
    """Stop a daemon for so long, with a port broken under it."""
    section, pid, tap = SECTIONS[daemon], look.pid(node, daemon), node.tap("g1")
    agent.until("up", lambda: not is_down(node, section), seconds=30)
    repairs = node.out("hostagent", "history", "--json")
    began, took = time.monotonic(), list[float]()
    node.run("kill", "-STOP", pid)
    try:
        if daemon != "ovsdb-server":
            agent.inject(node, "tag changed", tap)
        agent.until("it is marked down", lambda: is_down(node, section), seconds=SHOWN_SECONDS)
        shown = time.monotonic() - began
        while time.monotonic() < began + seconds:
            took.append(agent.scrape(node)[0])
            time.sleep(0.3)
        slow = sorted(took)[-1 - len(took) // 20]  # one in twenty may meet a busy machine
        assert slow < SCRAPE_SECONDS, "a scrape waits for nobody"
        assert node.out("hostagent", "history", "--json") == repairs, "nothing is repaired meanwhile"
    finally:
        node.run("kill", "-CONT", pid)
    back = agent.until("back", lambda: not is_down(node, section), seconds=BACK_SECONDS)
    agent.until("all is well", lambda: look.alarms(node) == set(), seconds=30)
    restarts = node.out("systemctl", "show", "--property=NRestarts", "--value", "hostagent.service")
    assert restarts == "0", "the watchdog is fed"
    print(f"{daemon}: down shown after {shown:.1f} s, p95 of scrapes {slow:.3f} s, back after {back:.1f} s")


def is_down(node: Node, section: str) -> bool:
    return agent.scrape(node)[1][f'hostagent_source_up{{source="{section}"}}'] == 0
