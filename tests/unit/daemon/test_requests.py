"""Mutes and looks: who may ask for what, and what is refused."""

from __future__ import annotations

import json
import re
import threading
import time
from dataclasses import replace
from typing import Any

import pytest

from hostagent.daemon import controls
from hostagent.errors import HostagentError, RefusedError
from hostagent.health.report import Report
from hostagent.model.published import Hold
from tests.unit.daemon.conftest import MUTE, NOBODY, NOW, Agent
from tests.unit.daemon.data import FINE, STALE, published


@pytest.mark.parametrize("word", ["pause", "resume", "mute", "unmute"])
def test_only_root_changes_anything(agent: Agent, word: str) -> None:
    with pytest.raises(RefusedError, match=rf"^{word} needs root \(run it with sudo\)$"):
        agent.ask(word, NOBODY, **MUTE)
    assert not agent.file.exists()


def test_everybody_who_can_connect_reads(agent: Agent) -> None:
    assert agent.ask("published", NOBODY)["published"]["pid"] == 4242


@pytest.mark.parametrize(
    ("word", "changed", "said"),
    [
        ("dance", {}, "the agent does not know the word 'dance'"),
        ("mute", {"code": ""}, "the request has no code"),
        ("mute", {"code": "OVS_PORT_STAIL"}, "no check is called OVS_PORT_STAIL"),
        ("mute", {"code": "LIBVIRT_UNREACHABLE"}, "LIBVIRT_UNREACHABLE is ok: there is nothing to mute"),
        ("mute", {"object": "br-int/vnet9"}, "OVS_PORT_STALE has no object br-int/vnet9 now"),
        ("mute", {"seconds": 0}, "seconds must be a number from 1 to"),
        ("mute", {"seconds": 31 * 86400}, "seconds must be a number from 1 to"),
        ("mute", {"seconds": float("nan")}, "seconds must be a number from 1 to"),
        ("mute", {"seconds": True}, "seconds must be a number from 1 to"),
        ("mute", {"reason": "  "}, "the request has no reason"),
        ("mute", {"reason": "a\nb"}, "the reason must be one printable line"),
        ("mute", {"reason": "x" * 501}, "the reason must be one printable line"),
        ("mute", {"sticky": "yes"}, "sticky must be true or false"),
        ("mute", {"sudo_user": "\x1b[31m"}, "the sudo_user must be one printable line"),
        ("unmute", {}, "OVS_PORT_STALE is not muted"),
        ("pause", {"seconds": "1h"}, "seconds must be a number from 1 to"),
    ],
)
def test_what_is_refused(agent: Agent, word: str, changed: dict[str, Any], said: str) -> None:
    with pytest.raises(RefusedError, match=f"^{re.escape(said)}"):
        agent.ask(word, **{**MUTE, **changed})
    assert not agent.file.exists()


def test_a_mute_shows_at_once_and_lapses_with_a_look(agent: Agent) -> None:
    agent.ask("mute", **MUTE, sudo_user="alice")
    told = agent.ask("published", NOBODY)["published"]
    assert [each["code"] for each in told["report"]["checks"] if each["muted"]] == ["OVS_PORT_STALE"]
    assert told["report"]["status"] == "warn"
    (mute,) = agent.controls.mutes()
    assert (mute.by, mute.reason, mute.state, mute.objects) == ("alice", "known", "crit", 2)
    assert agent.told is not None
    report = Report.from_json(agent.told.report)
    assert agent.controls.judged(report, time.time()).results[0].muted
    worse = replace(STALE, objects=(*STALE.objects, STALE.objects[0]))
    assert not agent.controls.judged(replace(report, results=(worse,)), time.time()).results[0].muted
    assert agent.controls.mutes() == agent.restarted().mutes() == ()


def test_a_mutes_time_passes_also_without_a_look(agent: Agent) -> None:
    agent.ask("mute", **{**MUTE, "seconds": 1})
    assert agent.told is not None
    report = Report.from_json(agent.told.report)
    assert not agent.controls.judged(report, time.time() + 1).results[0].muted
    assert agent.controls.mutes() == ()


def test_muting_again_replaces_and_objects_stand_beside(agent: Agent) -> None:
    agent.ask("mute", **MUTE)
    agent.ask("mute", **{**MUTE, "reason": "later", "sticky": True})
    agent.ask("mute", **MUTE, object="br-int/vnet7")
    assert [(each.object, each.reason) for each in agent.controls.mutes()] == [
        ("", "later"),
        ("br-int/vnet7", "known"),
    ]
    agent.ask("unmute", code="OVS_PORT_STALE", object="br-int/vnet7")
    assert [each.object for each in agent.controls.mutes()] == [""]


def test_the_number_of_mutes_is_bounded(agent: Agent, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(controls, "_MOST_MUTES", 2)
    for number in range(2):
        agent.ask("mute", **MUTE, object=f"o{number}", sticky=True)
    with pytest.raises(RefusedError, match="there are 2 mutes already"):
        agent.ask("mute", **MUTE)
    agent.ask("mute", **MUTE, object="o1", sticky=True)


def test_what_the_loop_told_of_holds_is_overtaken_by_what_is_now(agent: Agent) -> None:
    assert agent.told is not None
    held = (Hold(kind="paused", reason="over", since=0), Hold(kind="disabled", reason="by settings", since=0))
    agent.told = replace(agent.told, holds=held)
    agent.controls.latch("too much", NOW)
    assert [each["kind"] for each in agent.ask("published")["published"]["holds"]] == ["disabled", "latched"]


def test_before_the_first_look(agent: Agent) -> None:
    agent.told = None
    for word in ("published", "mute"):
        with pytest.raises(HostagentError, match="the agent has not looked yet"):
            agent.ask(word, **MUTE)
    agent.ask("pause", seconds=None, reason="x")


def test_a_look_waits_for_one_that_began_later(agent: Agent) -> None:
    def loop() -> None:
        until = time.monotonic() + 30
        while not agent.woken and time.monotonic() < until:
            time.sleep(0.01)
        agent.told = published(FINE, age=-0.01)

    thread = threading.Thread(target=loop)
    thread.start()
    told = agent.ask("look", NOBODY)["published"]
    thread.join()
    assert [each["code"] for each in told["report"]["checks"]] == ["LIBVIRT_UNREACHABLE"]


def test_looks_that_wait_are_few_and_end(agent: Agent) -> None:
    with pytest.raises(HostagentError, match=r"^the agent has not looked again within 0.1 s$"):
        agent.ask("look", seconds=0.1)
    said: list[str] = []

    def ask() -> None:
        try:
            agent.ask("look", seconds=1)
        except HostagentError as error:
            said.append(str(error))

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert sum("others wait for it" in each for each in said) == 2
    assert sum("has not looked again" in each for each in said) == 4


def test_many_at_once_leave_a_whole_file(agent: Agent) -> None:
    def mute(number: int) -> None:
        for turn in range(5):
            agent.ask("mute", **MUTE, object=f"o{number}-{turn}", sticky=True)

    threads = [threading.Thread(target=mute, args=(number,)) for number in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert len(json.loads(agent.file.read_bytes())["mutes"]) == 20
    assert len(agent.restarted().mutes()) == 20
