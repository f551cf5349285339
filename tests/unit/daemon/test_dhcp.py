"""The thread that tries renewals: what it tells, when it wakes the loop, what keeps it still."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from hostagent.config import Settings
from hostagent.config.records import Dhcp as Wanted
from hostagent.config.records import Paths, Sources
from hostagent.daemon.dhcp import Renewals
from hostagent.decide.dhcp import schedule
from hostagent.health.case import parse_host
from tests.unit.decide.dhcp_data import LINK, dhcp

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# Nothing can be plugged into a device that is no bridge: the probe is skipped, and touches nothing.
HOST = replace(parse_host(""), dhcp=dhcp(link=replace(LINK, kind="dummy")))


class Scene:
    """Renewals with a count of how often they woke the loop."""

    def __init__(self, folder: Path, **wanted: Any) -> None:
        self.file = folder / "dhcp-probes.json"
        self.woken = threading.Event()
        self.held = False
        settings = Settings(
            paths=Paths(run_dir=str(folder), stop_file=str(folder / "stop")),
            sources=Sources(ovsdb_socket=str(folder / "none")),
            dhcp=Wanted(**wanted),
        )
        self.renewals = Renewals(settings, wake=self.woken.set, held=lambda: self.held)


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schedule, "FIRST_SECONDS", 0.0)


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    made = Scene(tmp_path)
    yield made
    made.renewals.close()


def test_a_network_has_its_turn_and_the_loop_is_woken(scene: Scene) -> None:
    scene.renewals.hand(HOST)
    scene.renewals.start()
    assert scene.woken.wait(30)
    (report,) = json.loads(scene.file.read_text())
    assert (report["network"], report["outcome"], report["server_pid"]) == ("br1", "skipped", 11)
    assert "no bridge" in report["detail"]
    assert [(each.network, each.server) for each in scene.renewals.told()] == [("br1", "10.77.1.1")]


def test_nothing_is_asked_while_a_hold_exists(scene: Scene) -> None:
    scene.held = True
    scene.renewals.hand(HOST)
    scene.renewals.start()
    assert not scene.woken.wait(0.5)
    assert not scene.file.exists()
    scene.held = False
    assert scene.woken.wait(30)


@pytest.mark.parametrize("wanted", [{"probe": False}, {"passive": ("br1",)}])
def test_what_is_not_to_be_probed_is_not(tmp_path: Path, wanted: dict[str, Any]) -> None:
    scene = Scene(tmp_path, **wanted)
    scene.renewals.hand(HOST)
    scene.renewals.start()
    assert not scene.woken.wait(0.5)
    scene.renewals.close()


def test_it_ends_at_once(scene: Scene) -> None:
    scene.renewals.start()
    (thread,) = (each for each in threading.enumerate() if each.name == "dhcp")
    scene.renewals.close()
    assert not thread.is_alive()


def test_what_can_not_be_read_is_not_published_as_it_was(scene: Scene) -> None:
    scene.renewals.start()
    scene.renewals.hand(HOST)
    scene.renewals.hand(parse_host('unavailable = {dhcp = "unresponsive"}'))
    assert scene.renewals.told() == ()
