"""A nova-like node with the agent running: events go by, nothing of it is touched, nothing is crit."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

import pytest

from tests.live import agent, look
from tests.live.nova import nova_like

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.lab import Node

pytestmark = pytest.mark.lab


def test_a_nova_node_under_the_agent(make_node: Callable[..., Node]) -> None:
    node = make_node("nova-agent", agent=True)
    nova_like(node)
    agent.configure(node, agent.settings(0.3))
    agent.until("it has looked", lambda: agent.published(node)["cost"]["looks"] > 0, seconds=30)
    before, looks = look.rows(node), 0
    for turn in range(6):
        node.run("ip", "link", "add", f"noise{turn}", "type", "bridge")
        node.run("ovs-vsctl", "set", "Port", "tapovn", f"external_ids:turn={turn}")
        time.sleep(0.7)
        node.run("ip", "link", "del", f"noise{turn}")
        told = agent.published(node)
        looks = told["cost"]["looks"]
        assert [each["code"] for each in told["report"]["checks"] if each["state"] == "crit"] == []
    node.run("ovs-vsctl", "remove", "Port", "tapovn", "external_ids", "turn")
    assert looks >= 6, "the events were seen"
    assert look.rows(node) == before
    assert json.loads(node.out("hostagent", "history", "--json"))["runs"] == []
