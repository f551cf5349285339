"""The executor on a node's real Open vSwitch: whole repairs, undo, crashes, races, refusals, batches."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.lab import Node

pytestmark = pytest.mark.lab

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def act(make_node: Callable[[str], Node]) -> Callable[[str], list[dict[str, Any]]]:
    """Run a case of act_cases.py in the node; what it said."""
    node = make_node("act1")
    for name in ("act_cases.py", "act_scene.py", "proxy.py"):
        node.put(HERE / name, "/root/tests/live/")

    def run(case: str) -> list[dict[str, Any]]:
        command = ("env", "-C", "/root", "python3", "-m", "tests.live.act_cases", case)
        done = node.run(*command, timeout=300)
        return [json.loads(line) for line in done.stdout.splitlines()]

    return run


def test_repair_and_undo(act: Callable[[str], list[dict[str, Any]]]) -> None:
    applied, *undone = act("repair")
    assert applied == {"what": "apply", "steps": 5, "odd": [], "left": 0, "kept": True}
    for each in undone:
        assert each == {"what": each["what"], "odd": [], "same": True}


def test_killed_at_every_message(act: Callable[[str], list[dict[str, Any]]]) -> None:
    undisturbed, *deaths = act("crash")
    assert not undisturbed["killed"]
    assert {each["at"] for each in deaths} > {"first", "barrier", "second"}
    assert len(deaths) == 2 * undisturbed["messages"]
    for each in deaths:
        assert each["killed"], each
        assert each["same"], each
        assert not each["odd"], each
        assert not each["open"], each


def test_races(act: Callable[[str], list[dict[str, Any]]]) -> None:
    said = {each["what"]: each for each in act("races")}
    theirs = {"tag changed", "other column changed", "made by another", "bridge gone", "guest starts"}
    words = {
        "tag changed": ["br-int/vnet5", "dropped", "Port.tag of port vnet5 is no longer what was decided on"],
        "made by another": ["br-int/vnet5", "failed", "somebody else has made port vnet5 again, on br-ext"],
        "bridge gone": ["br-int/vnet2", "failed", "bridge br-ext is gone: port vnet2 is back on br-int"],
        "guest starts": [
            "br-int/vnet0",
            "restored",
            "domain g0 started with vnet0 meanwhile: its port was put back",
        ],
    }
    for what, each in said.items():
        assert not each.get("unused"), f"{what} never came about"
        if what not in theirs:
            assert each["same"], each
        if what in words:
            assert each["odd"] == [words[what]]
        elif what == "vswitchd hangs":
            assert {state for _, state, _ in each["odd"]} == {"failed"}, "nothing is called done that is not"
        else:
            assert not each["odd"], each


def test_refusals(act: Callable[[str], list[dict[str, Any]]]) -> None:
    said = {each["what"]: each for each in act("refusals")}
    assert all(each["same"] for each in said.values())
    assert "No space left on device" in said["disk full"]["words"]
    assert "Read-only file system" in said["read-only"]["words"]
    assert said["locked"]["words"].startswith("RefusedError: somebody (pid ")
    assert "flow-restore-wait" in said["flow restore"]["words"]


def test_a_batch_is_one_pair_of_transactions(act: Callable[[str], list[dict[str, Any]]]) -> None:
    one, hundred = act("many")
    assert (hundred["steps"], hundred["odd"], hundred["left"]) == (100, [], 0)
    # ovs-vsctl's two calls do no more than take the ports off and put them on again
    assert hundred["seconds"] <= 2 * hundred["alone"] + 3 * one["seconds"], (one, hundred)
