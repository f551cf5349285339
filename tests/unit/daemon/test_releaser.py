"""The releaser's loop, with libvirt, systemd and the clock in the test's hands."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING

import pytest

from hostagent.act.boot.connection import GuestError
from hostagent.act.boot.held import HeldList
from hostagent.act.boot.lock import BootsLock
from hostagent.config import Settings
from hostagent.daemon import releaser as module
from hostagent.daemon.boots import autostart
from hostagent.daemon.notify import Notifier
from hostagent.daemon.release import usable_settings
from hostagent.daemon.releaser import Releaser
from hostagent.decide.boot.releasing import Pace
from hostagent.errors import JournalError, RefusedError
from hostagent.model.boot_held import SLOWED
from hostagent.model.host import Trouble
from hostagent.sources.deadline import ReadError
from tests.unit.daemon.releaser_world import World

if TYPE_CHECKING:
    from pathlib import Path

FAILED = {"ActiveState": "failed", "Result": "start-limit-hit", "ExecMainCode": "1", "ExecMainStatus": "1"}


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    made = World(tmp_path)
    for name, fake in made.fakes().items():
        monkeypatch.setattr(module, name, fake)
    return made


def test_with_nothing_held_it_asks_nobody_and_ends(world: World) -> None:
    world.unreadable = ReadError(Trouble.UNREACHABLE, "no")
    assert world.run()
    assert world.now == 1000.0


def test_all_is_taken_back_in_order_and_at_its_pace(world: World) -> None:
    for name in ("a", "b"):
        world.add(name)
    world.add("s", kind=SLOWED)
    world.adopt("x")
    world.adopt("y")
    world.adopt("done")
    autostart.keep(world.paths.run_dir, frozenset({"x", "y"}))
    assert world.run()
    assert world.did == [
        ("unslow s", 1030.0),
        ("resume a", 1030.0),
        ("resume b", 1035.0),
        ("start x", 1045.0),
        ("start y", 1055.0),
    ]
    assert HeldList(world.paths.state_dir).entries == ()
    assert autostart.pending(world.paths.run_dir) == frozenset()


@pytest.mark.parametrize("when", [1010.0, 1032.0])
def test_an_agent_that_is_back_has_the_rest(world: World, when: float) -> None:
    for name in ("a", "b"):
        world.add(name)
    lock = BootsLock(world.paths.run_dir)
    world.at[when] = lock.take
    assert world.run()
    assert [what for what, _ in world.did] == (["resume a"] if when > 1030 else [])
    assert world.now < when + 2
    lock.drop()


def test_a_node_that_shuts_down_releases_nobody(world: World) -> None:
    world.add("a")
    world.at[1020.0] = lambda: setattr(world, "node", "stopping")
    assert world.run()
    assert world.did == []
    assert world.now < 1022


def test_without_an_agent_in_this_boot_all_adopted_start(world: World, tmp_path: Path) -> None:
    (tmp_path / "run" / autostart.FILE).unlink()
    world.adopt("x")
    assert world.run()
    assert world.did == [("start x", 1030.0)]
    assert autostart.pending(world.paths.run_dir) == frozenset()


def test_a_removal_waits_for_nobody_and_starts_only_who_was_waited_for(world: World, tmp_path: Path) -> None:
    world.add("a")
    world.adopt("x")
    (tmp_path / "stop").touch()
    (tmp_path / "run" / autostart.FILE).unlink()
    world.agent = FAILED
    assert Releaser(world.settings, Notifier(), Pace(grace=0.0), forced=True).run()
    assert world.did == [("resume a", 1000.0)]


def test_the_stop_file_and_a_pause_halt_it(world: World, tmp_path: Path) -> None:
    world.add("a")
    (tmp_path / "stop").touch()
    remembered = {
        "schema": "hostagent.agent/v1",
        "paused": {"kind": "paused", "reason": "rack", "since": 1.0},
    }

    def pause() -> None:
        (tmp_path / "state/agent.json").write_text(json.dumps(remembered))
        (tmp_path / "stop").unlink()

    world.at[1200.0] = pause
    world.at[1400.0] = (tmp_path / "state/agent.json").unlink
    assert world.run()
    ((what, when),) = world.did
    assert what == "resume a"
    assert 1400 <= when < 1410


def test_what_libvirt_refuses_is_tried_again(world: World, caplog: pytest.LogCaptureFixture) -> None:
    """A resumption for ever, a start three times; and the others don't wait for it."""
    for name in ("a", "b"):
        world.add(name)
    world.adopt("x")
    autostart.keep(world.paths.run_dir, frozenset({"x"}))
    world.errors = {"a": GuestError("busy", retryable=True), "x": RefusedError("no room")}
    world.at[1300.0] = lambda: world.errors.pop("a")
    with caplog.at_level(logging.WARNING):
        assert world.run()
    did = [what for what, _ in world.did]
    assert did[0] == "failed resume a"
    assert did[1] == "resume b"
    assert did[-1] == "resume a"
    assert did.count("failed start x") == 3
    assert "x: no room; given up: virsh start it" in caplog.text
    assert autostart.pending(world.paths.run_dir) == frozenset({"x"}), "the next agent tries again"


def test_a_full_disk_keeps_nobody_held(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("a", "b"):
        world.add(name)
    drop = HeldList.drop

    def full(self: HeldList, *uuids: str) -> None:
        if world.now < 1200:
            raise JournalError("held.json can't be written: No space left on device")
        drop(self, *uuids)

    monkeypatch.setattr(HeldList, "drop", full)
    assert world.run()
    assert [what for what, _ in world.did] == ["resume a", "resume b"]
    assert world.now >= 1200
    assert "No space left" in caplog.text
    assert HeldList(world.paths.state_dir).entries == ()


def test_a_libvirt_that_does_not_answer_is_waited_for(world: World) -> None:
    world.add("a")
    world.unreadable = ReadError(Trouble.UNREACHABLE, "no answer")
    world.at[1500.0] = lambda: setattr(world, "unreadable", None)
    assert world.run()
    assert [what for what, _ in world.did] == ["resume a"]


@pytest.mark.parametrize("trouble", [Trouble.ABSENT, Trouble.UNREACHABLE])
def test_but_not_for_nobody(world: World, tmp_path: Path, trouble: Trouble) -> None:
    (tmp_path / "run" / autostart.FILE).unlink()
    world.unreadable = ReadError(trouble, "no answer")
    assert world.run()
    assert world.now <= 1040


def test_a_crashed_agent_is_started_again_once_all_are_released(world: World) -> None:
    world.add("a")
    world.agent = FAILED
    assert world.run()
    assert world.did == [("resume a", 1030.0), ("agent", 1030.0)]


def test_a_crashed_agent_is_not_started_at_once(world: World) -> None:
    world.agent = FAILED
    assert world.run()
    assert world.did == [("agent", 1030.0)]


def test_an_agent_with_wrong_settings_stays_down(world: World) -> None:
    world.agent = FAILED | {"Result": "exit-code", "ExecMainStatus": "78"}
    assert world.run()
    assert world.did == []


@pytest.mark.parametrize(
    ("text", "state_dir"),
    [
        ("[paths]\nstate_dir = '/srv/x'\n[boot]\nenabled = 3\n", "/srv/x"),
        ("[paths]\nstate_dir = 3\n", "/var/lib/hostagent"),
        ("paths = 3\n[agents]\n", "/var/lib/hostagent"),
        ("[paths\n", "/var/lib/hostagent"),
        ("\x00", "/var/lib/hostagent"),
    ],
)
def test_of_wrong_settings_the_places_are_used(tmp_path: Path, text: str, state_dir: str) -> None:
    (tmp_path / "wrong.toml").write_text(text)
    assert usable_settings(tmp_path / "wrong.toml").paths.state_dir == state_dir
    assert usable_settings(tmp_path / "none.toml") == Settings()
