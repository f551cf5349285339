"""Pause, latch and stop file: what outlives a restart, and what happens to a bad file."""

from __future__ import annotations

import os
import time

import pytest

from hostagent.daemon.controls import Controls
from hostagent.errors import HostagentError
from hostagent.model.published import Hold
from tests.unit.daemon.conftest import MUTE, NOW, ROOT, Agent, kinds


def test_without_a_file_nothing_is_held(agent: Agent) -> None:
    assert (agent.controls.holds(NOW), agent.controls.mutes(), agent.controls.resumed_at()) == ((), (), 0.0)
    assert not agent.file.exists()


def test_a_pause_ends_with_its_time_or_by_a_person(agent: Agent) -> None:
    agent.ask("pause", seconds=60, reason="maintenance", sudo_user="alice")
    (hold,) = agent.controls.holds(time.time())
    assert (hold.kind, hold.reason, hold.by) == ("paused", "maintenance", "alice")
    assert hold.until is not None
    assert agent.controls.holds(hold.until) == ()
    agent.ask("pause", seconds=None, reason="for good")
    assert kinds(agent.controls, time.time() + 10**9) == ["paused"]
    before = time.time()
    ended = agent.ask("resume")["ended"]
    assert [each["reason"] for each in ended] == ["for good"]
    assert kinds(agent.controls) == []
    assert agent.controls.resumed_at() >= before
    assert agent.woken == 3  # what was changed is published with a look, at once


def test_the_latch_holds_until_a_person_resumes_also_after_a_restart(agent: Agent) -> None:
    agent.controls.latch("31 repairs within an hour", NOW)
    agent.controls.latch("again", NOW + 1)
    for each in (agent.controls, agent.restarted()):
        assert each.holds(NOW) == (Hold(kind="latched", reason="31 repairs within an hour", since=NOW),)
    agent.ask("resume")
    assert kinds(agent.restarted()) == []
    assert agent.restarted().resumed_at() == agent.controls.resumed_at() > 0


def test_the_stop_file_holds_whatever_else(agent: Agent) -> None:
    stop = agent.folder / "stop"
    stop.symlink_to("/nonexistent")
    assert kinds(agent.controls) == ["stopped"]
    assert [each["kind"] for each in agent.ask("resume")["holds"]] == ["stopped"]
    stop.unlink()
    assert kinds(agent.controls) == []
    beneath_a_file = agent.folder / "file"
    beneath_a_file.write_text("")
    blind = Controls(
        state_dir=str(agent.file.parent),
        stop_file=str(beneath_a_file / "stop"),
        published=lambda: None,
        wake=agent._wake,
    )
    assert blind.holds(NOW)[0].reason.startswith("can't tell whether")


def test_every_change_is_on_disk_when_it_returns_and_for_root_only(agent: Agent) -> None:
    agent.ask("mute", **MUTE)
    agent.ask("pause", seconds=60, reason="x")
    assert agent.file.stat().st_mode & 0o777 == 0o600
    again = agent.restarted()
    assert again.mutes() == agent.controls.mutes()
    assert again.holds(NOW) == agent.controls.holds(NOW)
    assert [each.name for each in agent.file.parent.iterdir()] == ["agent.json"]


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        '{"schema": "hostagent.agent/v1"',
        "[]",
        '{"mutes": 1}',
        '{"schema": "hostagent.agent/v9"}',
        "\xff",
    ],
)
def test_a_file_that_is_not_understood_latches_and_is_kept(agent: Agent, content: str) -> None:
    agent.file.parent.mkdir()
    agent.file.write_bytes(content.encode("latin-1"))
    again = agent.restarted()
    (hold,) = again.holds(NOW)
    assert hold.kind == "latched"
    assert hold.reason.startswith(f"{agent.file} can't be read (")
    assert "hostagent resume lets it act" in hold.reason
    kept = [each for each in agent.file.parent.iterdir() if "unreadable" in each.name]
    assert [each.read_bytes() for each in kept] == [content.encode("latin-1")]
    assert str(kept[0]) in hold.reason
    assert agent.restarted().holds(NOW) == again.holds(NOW)
    again.answer({"ask": "resume"}, ROOT)
    assert agent.restarted().holds(NOW) == ()


def test_every_cut_of_the_file_latches(agent: Agent) -> None:
    agent.ask("pause", seconds=None, reason="é" * 20)
    whole = agent.file.read_bytes()
    for size in range(0, len(whole.rstrip()), 7):
        for each in agent.file.parent.iterdir():
            each.unlink()
        agent.file.write_bytes(whole[:size])
        assert kinds(agent.restarted()) == ["latched"], size


def test_what_does_not_get_to_the_disk_is_not_done_but_a_latch_holds(agent: Agent) -> None:
    agent.ask("mute", **MUTE)
    before = agent.controls.mutes()
    scratch = agent.file.with_name(f".agent.json.{os.getpid()}.new")
    scratch.mkdir()  # in the way of every new file, also for root
    for word in ("pause", "unmute", "resume"):
        with pytest.raises(HostagentError, match=r"agent.json can't be written: .*; nothing is changed"):
            agent.ask(word, **MUTE)
    assert (agent.controls.mutes(), kinds(agent.controls)) == (before, [])
    agent.controls.latch("too much", NOW)
    assert kinds(agent.controls) == ["latched"]
