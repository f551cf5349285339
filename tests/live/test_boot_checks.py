"""The checks of boots on a node: a fresh one is well; what people and flags do to boots is said at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests import lab
from tests.live import agent, storm_guests, storm_watch

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.lab import Node

pytestmark = pytest.mark.lab

CODES = (
    "BOOT_DEPENDENCY_CYCLE",
    "BOOT_GUEST_TIMED_OUT",
    "BOOT_QUEUE_STUCK",
    "BOOT_UNADOPTED_AUTOSTART",
    "DISK_LATENCY_HIGH",
)
PATIENCE = 60.0
AFTER = '<hostagent:boot xmlns:hostagent="urn:hostagent:boot:1"><hostagent:after name="{}"/></hostagent:boot>'
STOP = "/etc/hostagent/stop"


@pytest.fixture(scope="module")
def node(make_node: Callable[..., Node]) -> Node:
    """An agent that looks often, and lets one guest boot at once."""
    made = make_node("bchk", agent=True)
    text = agent.settings(0.3, boot={"first_limit": 1}, agent={"interval_seconds": 2.0})
    agent.configure(made, text)
    storm_guests.define_bios(made, "alice", "bob")
    agent.until("it is well", lambda: agent.problems(made) == [], seconds=PATIENCE)
    return made


def said(node: Node, code: str) -> tuple[str, str, list[str]]:
    """A check's state, summary and objects, as the agent tells them."""
    checks = {each["code"]: each for each in agent.published(node)["report"]["checks"]}
    found = checks[code]
    return found["state"], found["summary"], [each["id"] for each in found["objects"]]


def becomes(node: Node, code: str, state: str, *objects: str, words: str = "") -> None:
    """Wait until the check is in the state and names these, with the words in its summary."""

    def so() -> bool:
        now, summary, named = said(node, code)
        return (now, named) == (state, list(objects)) and words in summary

    agent.until(f"{code} is {state}", so, seconds=PATIENCE)


def test_a_fresh_node_is_well(node: Node) -> None:
    assert {said(node, code)[0] for code in CODES} <= {"ok", "skip"}
    assert node.run("hostagent", "check", check=False).returncode == 0
    live = node.run("hostagent", "check", "--live", check=False)
    assert live.returncode == 0, live.stdout


def test_autostart_that_nobody_adopted(node: Node) -> None:
    node.run("virsh", "-q", "autostart", "alice")
    becomes(node, "BOOT_UNADOPTED_AUTOSTART", "ok", words="1 guest with")
    node.run("virsh", "-q", "autostart", "bob")
    becomes(node, "BOOT_UNADOPTED_AUTOSTART", "warn", "alice", "bob")
    node.run("hostagent", "boot", "adopt", "--all")
    becomes(node, "BOOT_UNADOPTED_AUTOSTART", "ok", words="no guests with")
    node.run("hostagent", "boot", "release", "--all")
    for name in ("alice", "bob"):
        node.run("virsh", "-q", "autostart", "--disable", name)
    becomes(node, "BOOT_UNADOPTED_AUTOSTART", "ok")


def test_a_circle_made_by_hand(node: Node) -> None:
    names = {"egg": "hen", "hen": "egg", "chick": "dodo"}
    for name, after in names.items():
        storm_guests.define_bios(node, name, metadata=AFTER.format(after))
    becomes(node, "BOOT_DEPENDENCY_CYCLE", "warn", "egg/hen", "chick/dodo")
    shown = node.run("hostagent", "check", "BOOT_DEPENDENCY_CYCLE", check=False)
    assert (shown.returncode, "egg → hen → egg" in shown.stdout) == (1, True)
    for name in names:
        node.run("virsh", "-q", "undefine", name)
    becomes(node, "BOOT_DEPENDENCY_CYCLE", "ok")


def test_who_stopped_the_queue_is_said_at_once(node: Node) -> None:
    node.run("hostagent", "boot", "hold", "--reason", "the array is rebuilding")
    node.run("virsh", "-q", "start", "alice")
    becomes(node, "BOOT_QUEUE_STUCK", "warn", "alice", words="the array is rebuilding")
    assert node.run("hostagent", "check", "BOOT_QUEUE_STUCK", check=False).returncode == 1
    series = agent.scrape(node)[1]
    assert (series["hostagent_boot_hold"], series["hostagent_boot_halted"]) == (1, 0)
    assert sum(value for name, value in series.items() if name.startswith("hostagent_boot_queued{")) == 1
    node.write(STOP, "")
    becomes(node, "BOOT_QUEUE_STUCK", "warn", "alice", words="neither holds nor releases")
    assert storm_watch.domstate(node, "alice") == "paused"
    node.run("rm", STOP)
    agent.until("it is not", lambda: storm_watch.told(node)["halted"] == "", seconds=PATIENCE)
    node.run("hostagent", "boot", "resume")
    becomes(node, "BOOT_QUEUE_STUCK", "ok")
    assert storm_watch.domstate(node, "alice") == "running"
    assert lab.soon(PATIENCE, lambda: agent.scrape(node)[1]["hostagent_boot_hold"] == 0)
