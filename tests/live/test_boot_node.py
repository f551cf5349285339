"""A node whose power was cut comes up by itself: its guests paced, in order, and on the network."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.live import agent
from tests.live.storm_boot import LIMIT, NodeBoot

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.lab import Node

pytestmark = pytest.mark.lab
GUESTS = 6


@pytest.fixture(scope="module")
def boot(make_node: Callable[..., Node]) -> NodeBoot:
    return NodeBoot(make_node("bnode", agent=True), GUESTS)


def test_what_is_not_adopted_is_said(boot: NodeBoot) -> None:
    agent.until("seen", lambda: agent.state(boot.node, "BOOT_UNADOPTED_AUTOSTART") == "warn", seconds=30)
    boot.adopt()
    assert boot.node.out("virsh", "-q", "list", "--all", "--autostart", "--name") == ""
    agent.until("seen", lambda: agent.state(boot.node, "BOOT_UNADOPTED_AUTOSTART") == "ok", seconds=30)


def test_a_power_cut(boot: NodeBoot) -> None:
    """Nobody does anything: in order, never more than the limit, and every port as it was."""
    boot.start_all()
    ports = boot.ports()
    boot.cut()
    starts = boot.come_up()
    assert boot.crowded(starts) == [], f"limit {LIMIT}"
    assert boot.out_of_order(starts) == []
    assert boot.ports() == ports
    done = boot.node.run("hostagent", "check", check=False)
    assert done.returncode == 0, done.stdout
