"""Open vSwitch, libvirtd and the agent restarted under eight guests: with the agent no frame more is lost."""

from __future__ import annotations

import time
from statistics import median
from typing import TYPE_CHECKING

import pytest

from tests.lab import Direction
from tests.live import cuts

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.lab import Node

pytestmark = pytest.mark.lab

SECONDS = 8.0
RESTARTS = {"openvswitch-switch": 3, "libvirtd": 1}  # and how often: the median counts


def running(node: Node) -> list[str]:
    """The taps of eight guests of one VLAN, all of which beacon."""
    names = [f"f{number}" for number in range(8)]
    for number, name in enumerate(names, 1):
        node.guest(name, bridge="br-int", vlan=9, ip=f"10.3.0.{number}/24")
        node.start(name)
    taps = [node.tap(name) for name in names]
    for _ in range(60):  # some may be held: boots are paced
        if all(len(heard) == 7 for heard in node.reach(taps, 2.0).values()):
            return taps
    raise AssertionError("eight guests that do not all hear one another")


def lost_seconds(node: Node, taps: list[str], unit: str) -> float:
    """How long nothing arrived, as it were: the part of the broadcasts that their seven readers missed."""
    with node.capture(taps) as seen:
        time.sleep(2.0)
        node.run("systemctl", "restart", unit, timeout=90)
        time.sleep(SECONDS - 2.0)
    every = [frame for frames in seen.frames.values() for frame in frames if frame.dst.startswith("ff:ff")]
    sent = sum(frame.direction is Direction.FROM_GUEST for frame in every)
    came = sum(frame.direction is Direction.TO_GUEST for frame in every)
    assert sent > 8 * SECONDS
    return SECONDS * (1 - came / (7 * sent))


def test_restarts_lose_the_same(make_node: Callable[..., Node], capsys: pytest.CaptureFixture[str]) -> None:
    found: dict[str, list[float]] = {}
    for word, bare in (("with", False), ("without", True)):
        node = make_node(f"frames-{word}", bare=bare, agent=not bare)
        if not bare:
            cuts.install_units(node)
            node.reboot()
        taps = running(node)
        found[word] = [
            median(lost_seconds(node, taps, unit) for _ in range(times)) for unit, times in RESTARTS.items()
        ]
        if not bare:
            own = lost_seconds(node, taps, "hostagent.service")
            assert node.run("hostagent", "check", "--live", "-q", check=False).returncode == 0
            assert '"kind": "re-add' not in node.out("hostagent", "history", "--json"), "no port was touched"
        node.down()
    with capsys.disabled():
        print(f"seconds lost at a restart of {list(RESTARTS)}: {found}; of the agent: {own}")
    for with_it, without in zip(found["with"], found["without"], strict=True):
        assert abs(with_it - without) < 1.0, found
    assert found["with"][1] < 0.5, "libvirtd's restart touches no frame"
    assert own < 0.5, "nor does the agent's"
