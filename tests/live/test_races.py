"""Guests that come and go, move and change while check and fix run; and others who write the same rows.

Two minutes of it run as ``make soak-repair``; here it is a quarter of that.
"""

from __future__ import annotations

import json
import threading
import time
from random import Random
from typing import TYPE_CHECKING

import pytest

from tests import lab
from tests.live.churn import Churn, only_dropped
from tests.live.look import alarms, check, column, rows
from tests.live.wreck import PROXIED, Wreck, wreck

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.lab import Node

pytestmark = pytest.mark.lab
SEED = 20261122
SECONDS = 30.0


def test_starts_and_stops_under_check_and_fix(make_node: Callable[[str], Node]) -> None:
    churn = Churn(make_node("churn"), Random(SEED))
    churn.run(SECONDS)
    assert churn.faults == []
    assert churn.starts + churn.stops >= 8, "the guests really came and went"
    assert churn.looks >= 3
    assert churn.changed() <= {"delete QoS", "delete queue"}, "libvirt leaves those behind at every stop"
    churn.node.run("hostagent", "fix", "--apply")
    assert alarms(churn.node) == set()


def test_migration_under_check_and_fix(make_node: Callable[[str], Node]) -> None:
    """Both ends look while a guest moves back and forth: no alarm, nothing changed."""
    one, two = make_node("from"), make_node("to")
    lab.link("from", "to")
    one.guest("moves", bridge="br-int", vlan=5, ip="10.5.0.1/24", mac="52:54:00:00:05:01")
    one.start("moves")
    ends, faults = threading.Event(), list[str]()

    def watch(node: Node) -> None:
        while not ends.is_set():
            found = {each for each in alarms(node) if not each.startswith("OVS_IFACE_ID_DUPLICATE")}
            faults.extend(f"{node.name}: {each}" for each in sorted(found))
            done = node.run("hostagent", "fix", "--apply", check=False)
            if done.returncode != 0 and not only_dropped(done):
                faults.append(f"{node.name}: fix exits {done.returncode}: {done.stdout}{done.stderr}")

    watchers = [threading.Thread(target=watch, args=(node,)) for node in (one, two)]
    for each in watchers:
        each.start()
    try:
        for source, target in ((one, "to"), (two, "from"), (one, "to")):
            source.run("virsh", "migrate", "--live", "--persistent", "moves", f"qemu+tcp://{target}/system")
            time.sleep(1)
    finally:
        ends.set()
        for each in watchers:
            each.join()
    assert faults == []
    assert two.out("virsh", "domstate", "moves") == "running"
    for node in (one, two):
        assert node.run("hostagent", "history").stdout.startswith("Nothing was changed")


@pytest.fixture(scope="module")
def broken(make_node: Callable[[str], Node]) -> Wreck:
    return wreck(make_node, "other")


def test_another_client_wins(broken: Wreck) -> None:
    """A row changed between our look and our transaction is left as the other made it; the rest is done."""
    broken.break_it()
    with broken.struck("first", "before", "ovs-vsctl", "set", "Port", "vnet0", "tag=55"):
        done = broken.fix(config=PROXIED, words="fix --apply --json")
    assert done.returncode == 11, done.stdout
    told = {each["object"]: each for each in json.loads(done.stdout)["steps"]}
    assert told["br-int/vnet0"]["state"] == "dropped"
    assert "Port.tag" in told["br-int/vnet0"]["detail"]
    assert column(broken.node, "Port", "vnet0", "tag") == "55"
    others = {each["state"] for name, each in told.items() if name != "br-int/vnet0"}
    assert others == {"done"}
    broken.recovered("fix")


def test_another_client_takes_the_bridge_or_the_port(broken: Wreck) -> None:
    """Somebody deletes and makes again the row that we are about to re-add: theirs stays."""
    broken.break_it()
    words = "ovs-vsctl del-port tapdeaf; ovs-vsctl add-port br-ext tapdeaf tag=66"
    with broken.struck("first", "before", "sh", "-c", words):
        done = broken.fix(config=PROXIED)
    assert done.returncode == 11, done.stdout
    assert column(broken.node, "Port", "tapdeaf", "tag") == "66"
    assert broken.node.out("ovs-vsctl", "port-to-br", "tapdeaf") == "br-ext"
    broken.node.run("ovs-vsctl", "del-port", "tapdeaf")
    broken.fix()
    mirror = "-- --id=@p get Port tapdeaf -- set Mirror m select_src_port=@p select_dst_port=@p"
    broken.node.run("ovs-vsctl", *mirror.split())
    assert rows(broken.node) == broken.wished


def test_undo_refuses_what_moved_on(broken: Wreck) -> None:
    node = broken.node
    broken.break_it()
    assert broken.fix().returncode == 0
    run = json.loads(node.run("hostagent", "history", "--json").stdout)["runs"][-1]
    node.run("ovs-vsctl", "set", "Port", "vnet0", "tag=41")
    before = rows(node)
    done = node.run("hostagent", "undo", run["id"], check=False)
    assert done.returncode == 12
    assert "vnet0" in done.stdout + done.stderr
    assert rows(node) == before, "a refused undo changes nothing"
    node.run("ovs-vsctl", "set", "Port", "vnet0", "tag=40")
    order = [each["id"] for each in run["actions"]]
    Random(SEED).shuffle(order)
    for action in order:
        undone = node.run("hostagent", "undo", action, check=False)
        assert undone.returncode == 0, undone.stdout + undone.stderr
    assert rows(node) == broken.broken
    broken.recovered("fix")


def test_latch_and_caps(broken: Wreck) -> None:
    """What would be too much at once, or has been too much within the hour, needs a person's --force."""
    broken.break_it()
    for key, words in (("max_per_hour", "within the last hour"), ("max_steps", "more than max_steps")):
        broken.node.write("/root/tight.toml", f"[looks]\ngrace_seconds = 0.0\n[repair]\n{key} = 3\n")
        done = broken.fix(config="/root/tight.toml")
        assert done.returncode == 12
        assert words in done.stdout + done.stderr
        assert rows(broken.node) == broken.broken
    assert broken.fix(config="/root/tight.toml", words="fix --apply --force").returncode == 0
    assert rows(broken.node) == broken.wished


def test_one_writer(broken: Wreck) -> None:
    """A second fix waits for the first, then finds nothing left to do."""
    broken.break_it()
    both = [broken.node.popen("hostagent", "fix", "--apply", stdout=-1, stderr=-1) for _ in range(2)]
    said = [each.communicate(timeout=60) for each in both]
    assert min(each.returncode for each in both) == 0, said
    assert rows(broken.node) == broken.wished
    assert check(broken.node)[0] == 0
