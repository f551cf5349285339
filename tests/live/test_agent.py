"""The agent in a node: what it repairs by itself, what it leaves alone, and how it is held."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

import pytest

from tests.lab import soon
from tests.live import agent, look

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.lab import Node

pytestmark = pytest.mark.lab

GRACE = 0.3
EACH = 3


@pytest.fixture(scope="module")
def node(make_node: Callable[..., Node]) -> Node:
    """Two running guests under an agent that believes what it sees after 0.3 s."""
    made = make_node("agent", agent=True)
    made.guest("g1", bridge="br-int", vlan=40, mac="52:54:00:00:0a:01")
    made.guest("g2", bridge="br-int", mac="52:54:00:00:0a:02")
    made.start("g1")
    made.start("g2")
    agent.configure(made, agent.settings(GRACE, agent={"max_per_hour": 1000}))
    return made


@pytest.fixture
def whole(node: Node) -> Node:
    """The node with nothing wrong, and whose agent says so."""
    agent.until("all is well", lambda: look.alarms(node) == set(), seconds=30)
    agent.until("the agent knows", lambda: agent.published(node)["report"]["status"] == "ok", seconds=30)
    return node


@pytest.mark.parametrize("what", agent.INJECTED)
def test_injected_drift_is_repaired_and_verified(whole: Node, what: str) -> None:
    code = agent.INJECTED[what][0]
    wished = look.rows(whole)
    for turn in range(EACH):
        before = agent.done(whole, code)
        agent.inject(whole, what, whole.tap("g1"))
        took = agent.until(f"{what}, {turn}", lambda n=before: agent.done(whole, code) > n, seconds=30)  # type: ignore[misc]
        assert took >= GRACE * 0.9, "nothing is believed before its grace"
        assert look.rows(whole) == wished
    assert agent.until("clear again", lambda: agent.state(whole, code) == "ok", seconds=5) < 5
    assert json.loads(whole.run("hostagent", "history", "--json").stdout)["runs"][-1]["by"]["who"] == (
        "hostagent agent"
    )


def held_still(node: Node, code: str, seconds: float = 2.0) -> str:
    """Break a port: the agent must believe it and leave it alone; its words for that."""
    agent.inject(node, "tag changed", node.tap("g1"))
    broken = look.rows(node)
    agent.until("it is reported", lambda: agent.state(node, code) == "crit", seconds=30)
    time.sleep(seconds)
    assert look.rows(node) == broken, "nothing is touched"
    words = [each["reason"] for each in agent.published(node)["left_alone"] if each["code"] == code]
    return str(words[0])


def test_with_report_nothing_is_touched(whole: Node) -> None:
    agent.configure(whole, agent.settings(GRACE, policy={"libvirt": "report"}))
    assert "policy.OVS_PORT_INHERITED.libvirt is report" in held_still(whole, "OVS_PORT_INHERITED")
    agent.configure(whole, agent.settings(GRACE, agent={"max_per_hour": 1000}))
    agent.until("repaired", lambda: agent.state(whole, "OVS_PORT_INHERITED") == "ok", seconds=30)


def test_with_the_stop_file_nothing_is_touched(whole: Node) -> None:
    whole.write("/etc/hostagent/stop", "")
    try:
        assert "/etc/hostagent/stop exists" in held_still(whole, "OVS_PORT_INHERITED")
        assert [each["kind"] for each in agent.published(whole)["holds"]] == ["stopped"]
    finally:
        whole.run("rm", "/etc/hostagent/stop")
    agent.until("repaired", lambda: agent.state(whole, "OVS_PORT_INHERITED") == "ok", seconds=30)


def test_paused_until_resumed_also_over_a_restart(whole: Node) -> None:
    assert whole.run("hostagent", "pause", "--reason", "work on the rack").returncode == 0
    assert "paused (work on the rack)" in held_still(whole, "OVS_PORT_INHERITED", seconds=1.0)
    whole.run("systemctl", "restart", "hostagent.service")
    agent.until("still paused", lambda: bool(agent.published(whole)["holds"]), seconds=30)
    time.sleep(1.5)
    assert agent.done(whole, "OVS_PORT_INHERITED") == 0
    assert "work on the rack" in whole.run("hostagent", "status").stdout
    assert whole.run("hostagent", "resume").returncode == 0
    agent.until("repaired", lambda: agent.done(whole, "OVS_PORT_INHERITED") == 1, seconds=30)


def test_too_many_repairs_latch_until_resumed(whole: Node) -> None:
    limit = 30  # the default of the package
    agent.configure(whole, agent.settings(0.1))
    whole.run("hostagent", "resume")
    began, code, count = time.monotonic(), "OVS_QOS_ORPHAN", 0
    while count < limit:
        agent.inject(whole, "QoS orphaned", "")
        agent.until("repaired", lambda n=count: agent.done(whole, code) > n, seconds=30)  # type: ignore[misc]
        count = agent.done(whole, code)
    assert time.monotonic() - began < 60, "within a minute"
    assert "30 repairs within an hour" in held_still(whole, "OVS_PORT_INHERITED", seconds=1.0)
    assert agent.done(whole, code) == limit
    assert [each["kind"] for each in agent.published(whole)["holds"]] == ["latched"]
    agent.configure(whole, agent.settings(0.1))
    agent.until("latched still", lambda: bool(agent.published(whole)["holds"]), seconds=30)
    assert whole.run("hostagent", "resume").returncode == 0
    agent.until("repaired", lambda: agent.done(whole, "OVS_PORT_INHERITED") == 1, seconds=30)


def test_a_bad_configuration_is_refused_and_the_old_one_stays(whole: Node) -> None:
    agent.configure(whole, agent.settings(GRACE, agent={"max_per_hour": 1000}))
    whole.write(agent.CONFIG, "[agent]\nmax_per_hour = 0\ninterval = 3\n")
    whole.run("systemctl", "reload", "hostagent.service")
    agent.until("it is said", lambda: len(agent.published(whole)["config_problems"]) == 2, seconds=30)
    assert "agent.max_per_hour: must be from 1 to 100000" in agent.log(whole)
    agent.inject(whole, "tag changed", whole.tap("g1"))
    agent.until("it works on", lambda: agent.done(whole, "OVS_PORT_INHERITED") == 1, seconds=30)
    whole.write(agent.CONFIG, agent.settings(GRACE, policy={"libvirt": "report"}))
    whole.run("systemctl", "reload", "hostagent.service")
    agent.until("taken", lambda: not agent.published(whole)["config_problems"], seconds=30)
    assert "is report" in held_still(whole, "OVS_PORT_INHERITED", seconds=1.0)
    pid = agent.published(whole)["pid"]
    whole.write(agent.CONFIG, agent.settings(GRACE, agent={"max_per_hour": 1000}))
    whole.run("systemctl", "reload", "hostagent.service")
    agent.until("repaired", lambda: agent.done(whole, "OVS_PORT_INHERITED") == 2, seconds=30)
    assert agent.published(whole)["pid"] == pid


def test_sigterm_in_a_repair_leaves_nothing_half_done(whole: Node) -> None:
    wished = look.rows(whole)
    for delay in (0.0, 0.02, 0.05, 0.1):
        agent.inject(whole, "tap recreated", whole.tap("g1"))
        time.sleep(GRACE + delay)
        began = time.monotonic()
        whole.run("systemctl", "stop", "hostagent.service")
        assert time.monotonic() - began < 5
        assert look.rows(whole) == wished, "a port that was taken out is back"
        runs = json.loads(whole.run("hostagent", "history", "--json").stdout)["runs"]
        assert all(each["finished"] for each in runs)
        whole.run("systemctl", "start", "hostagent.service")
        assert soon(30, lambda: look.alarms(whole) == set())
    assert "Main process exited" not in agent.log(whole), "it ended by itself each time"


def test_its_own_record_is_the_witness_for_an_inherited_vlan(make_node: Callable[..., Node]) -> None:
    node = make_node("agent-cut", agent=True)
    look.without_purge(node)
    node.guest("first", bridge="br-int", vlan=100)
    node.guest("silent", bridge="br-int")  # its XML says nothing about VLANs
    node.start("first")
    row = look.column(node, "Port", node.tap("first"), "_uuid")
    agent.until("the row is noted", lambda: row in node.read("/var/lib/hostagent/rows.json"), seconds=30)
    node.run("sync")
    node.power_cut()
    node.boot()
    node.start("silent")
    tap = node.tap("silent")
    assert look.column(node, "Port", tap, "_uuid") == row, "it has the row of the other one"
    agent.until("cleared", lambda: look.column(node, "Port", tap, "tag") == "[]", seconds=30)
    # Without a witness the same is somebody's decision.
    node.run("ovs-vsctl", "set", "Port", tap, "tag=124")
    agent.until("reported", lambda: agent.state(node, "OVS_PORT_INHERITED") == "crit", seconds=30)
    time.sleep(1.0)
    assert look.column(node, "Port", tap, "tag") == "124"
    node.down()


# `hostagent undo` that takes a second to see what came of it, longer than the agent takes to believe it.
SLOW_UNDO = """
import sys, time
from hostagent.act import undoing
from hostagent.cli import main
conclude = undoing.conclude
def late(*given, **named):
    time.sleep(1)
    return conclude(*given, **named)
undoing.conclude = late
sys.exit(main())
"""


@pytest.mark.parametrize(
    "undo", [("hostagent", "undo"), ("python3", "-c", SLOW_UNDO, "undo")], ids=["fast", "slow"]
)
def test_what_a_person_undoes_is_left_alone_until_resumed(whole: Node, undo: tuple[str, ...]) -> None:
    before = agent.done(whole, "OVS_PORT_INHERITED")
    agent.inject(whole, "tag changed", whole.tap("g1"))
    agent.until("repaired", lambda: agent.done(whole, "OVS_PORT_INHERITED") > before, seconds=30)
    assert whole.run(*undo, look.last_run(whole)).returncode == 0
    agent.until("reported", lambda: agent.state(whole, "OVS_PORT_INHERITED") == "crit", seconds=30)
    time.sleep(1.0)
    assert look.column(whole, "Port", whole.tap("g1"), "tag") == "999"
    assert "a person took its repair back" in agent.published(whole)["left_alone"][0]["reason"]
    assert whole.run("hostagent", "resume").returncode == 0
    agent.until("repaired", lambda: agent.state(whole, "OVS_PORT_INHERITED") == "ok", seconds=30)


def test_exposure_and_readers(whole: Node) -> None:
    shown = whole.run("systemd-analyze", "security", "--no-pager", "hostagent.service").stdout
    level = float(shown.rsplit("hostagent.service: ", 1)[1].split()[0])
    assert level <= 3.5, shown
    assert whole.run("hostagent", "check").returncode == 0
    denied = whole.run(*look.NOBODY, "hostagent", "check", check=False)
    assert (denied.returncode, denied.stdout) == (3, "")
    assert "member of group hostagent" in denied.stderr
