"""status, mute, unmute, mutes, pause and resume against an agent's real socket."""

from __future__ import annotations

import json
import re
import socket
import threading
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from hostagent.model.published import Hold
from tests.unit.cli.agents import Agent
from tests.unit.daemon import data
from tests.unit.daemon.data import FINE, QOS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.unit.cli.conftest import Cli


@pytest.fixture
def agent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Agent]:
    monkeypatch.setenv("SUDO_USER", "alice")
    agent = Agent(tmp_path)
    with closing(agent.server):
        agent.tell(data.STALE, QOS, FINE)
        yield agent


def test_a_mute_from_its_beginning_to_its_end(cli: Cli, agent: Agent) -> None:
    said = cli("mute ovs_port_stale 4h --reason known")
    assert (said.code, said.err) == (0, "")
    assert re.fullmatch(
        r"OVS_PORT_STALE is muted until 20\S+ \S+ \S+, unless it clears or gets worse\n", said.out
    )
    assert cli("check").code == 1
    listed = cli("mutes").out.splitlines()
    assert listed[0].split() == ["WHAT", "STATE", "STILL", "STICKY", "BY", "REASON"]
    assert listed[1].split() == ["OVS_PORT_STALE", "crit", "4", "h", "no", "alice", "known"]
    (mute,) = json.loads(cli("mutes --json").out)["mutes"]
    assert (mute["code"], mute["objects"], mute["by"]) == ("OVS_PORT_STALE", 2, "alice")
    assert cli("unmute OVS_PORT_STALE").out == "OVS_PORT_STALE is no longer muted\n"
    assert cli("mutes").out == "Nothing is muted.\n"
    assert agent.controls.mutes() == ()


def test_an_objects_id_may_hold_slashes(cli: Cli, agent: Agent) -> None:
    for name in ("br-int/vnet7", "br-int/vnet8"):
        assert cli(f"mute OVS_PORT_STALE/{name} 1d --reason x").code == 0
    assert [each.object for each in agent.controls.mutes()] == ["br-int/vnet7", "br-int/vnet8"]
    assert cli("check OVS_PORT_STALE").code == 0
    assert cli("unmute ovs_port_stale/br-int/vnet7").code == 0
    assert cli("check OVS_PORT_STALE").code == 2


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (
            "mute OVS_PORT_STAIL 1h --reason x",
            "no check is called OVS_PORT_STAIL (did you mean OVS_PORT_STALE?)",
        ),
        ("mute XYZZY 1h --reason x", "no check is called XYZZY (hostagent checks list shows them)"),
        ("mute LIBVIRT_UNREACHABLE 1h --reason x", "LIBVIRT_UNREACHABLE is ok: there is nothing to mute ("),
        ("mute OVS_PORT_STALE/vnet7 1h --reason x", "OVS_PORT_STALE has no object vnet7 now ("),
        ("mute OVS_PORT_STALE 31d --reason x", "Invalid value for 'DURATION': 31d is not between 1s and 30d"),
        ("mute OVS_PORT_STALE soon --reason x", "Invalid value for 'DURATION': soon is no duration"),
        ("mute OVS_PORT_STALE 1h", "Missing option '--reason'"),
        ("unmute OVS_PORT_STALE", "OVS_PORT_STALE is not muted (hostagent mutes shows what is)"),
        ("pause 31d --reason x", "Invalid value for '[DURATION]': 31d is not between 1s and 30d"),
        ("pause", "Missing option '--reason'"),
    ],
)
def test_what_is_refused_says_why_in_one_line(cli: Cli, agent: Agent, line: str, said: str) -> None:
    assert agent.told
    done = cli(line)
    assert (done.code, done.out) == (3, "")
    assert done.err.startswith(f"hostagent: {said}")
    assert done.err.count("\n") == 1
    assert agent.controls.mutes() == ()


def test_sticky_mutes_what_is_ok(cli: Cli, agent: Agent) -> None:
    said = cli("mute LIBVIRT_UNREACHABLE 10m --reason upgrade --sticky")
    assert said.code == 0
    assert "unless" not in said.out
    assert agent.controls.mutes()[0].sticky


def test_pause_and_resume(cli: Cli, agent: Agent) -> None:
    assert cli("pause --reason maintenance").out == "paused until hostagent resume\n"
    assert re.fullmatch(r"paused until 20.*\n", cli("pause 2d --reason maintenance").out)
    (hold,) = agent.controls.holds(0)
    assert (hold.by, hold.reason) == ("alice", "maintenance")
    assert cli("status --brief").out == "HELD paused: maintenance (looked 12 s ago)\n"
    assert cli("resume").out == "resumed (paused: maintenance)\n"
    assert cli("resume").out == "resumed; nothing was held\n"
    assert cli("status --brief").out == "ACTING nothing to do (looked 12 s ago)\n"


def test_resume_says_what_still_holds(cli: Cli, agent: Agent, tmp_path: Path) -> None:
    assert agent.told
    (tmp_path / "stop").write_text("")
    said = cli("resume")
    assert said.code == 0
    assert said.err == f"hostagent: still stopped: {tmp_path}/stop exists: remove it to go on\n"


def test_status(cli: Cli, agent: Agent) -> None:
    assert agent.told is not None
    said = cli("status")
    assert (said.code, said.err) == (0, "")
    assert said.out.splitlines() == [
        "ACTING nothing to do (looked 12 s ago)",
        "agent    0.1.0, process 4242, up 2 h",
        "looks    120, the last took 0.12 s; sign of life 1 s ago",
        "cost     3.5 s CPU, 48 MiB, 9 threads, 30 descriptors",
        "repairs  3 OVS_PORT_STALE done (the last 62 min ago)",
        "left     OVS_PORT_ERROR br-int/tap1: neutron owns it",
        "",
        "SOURCE   STATE                   READ      REASON",
        "ovs      ok                      12 s ago",
        "domains  unresponsive for 5 min  never     libvirt hangs",
    ]


def test_status_says_why_it_does_not_act(cli: Cli, agent: Agent) -> None:
    assert agent.told is not None
    agent.controls.latch("31 repairs within an hour: hostagent resume goes on", 0)
    held = Hold(kind="disabled", reason="by the settings", since=agent.told.started_at)
    agent.told = replace(agent.told, holds=(held,), config_problems=("x.toml:a: unknown key",))
    cli("mute OVS_PORT_STALE 1h --reason x")
    lines = cli("status").out.splitlines()
    assert lines[0] == "HELD disabled, latched: by the settings (looked 12 s ago)"
    assert "held     disabled for 2 h: by the settings" in lines
    assert any(
        re.fullmatch(r"held     latched for \d+ d: 31 repairs within an hour.*", each) for each in lines
    )
    assert "mutes    1 (hostagent mutes lists them)" in lines
    assert "settings x.toml:a: unknown key" in lines


def test_status_as_json(cli: Cli, agent: Agent) -> None:
    assert agent.told is not None
    document = json.loads(cli("status --json").out)
    assert document["schema"] == "hostagent.status/v1"
    assert (document["fresh"], document["acting"], document["pid"]) == (True, True, 4242)
    assert 12 <= document["age_s"] < 30
    assert "report" not in document


def test_a_stale_agents_status_exits_3(cli: Cli, agent: Agent) -> None:
    agent.tell(FINE, age=400)
    said = cli("status --brief")
    words = "UNKNOWN stale: the agent looked 7 min ago, more than 3 min (systemctl status hostagent)\n"
    assert (said.code, said.out) == (3, words)
    assert json.loads(cli("status --json").out)["fresh"] is False
    assert cli("status").out.startswith(words)


COMMANDS = [
    "check",
    "status",
    "mutes",
    "resume",
    "pause --reason x",
    "mute OVS_PORT_STALE 1h --reason x",
    "unmute OVS_PORT_STALE",
]


@pytest.mark.parametrize("line", COMMANDS)
def test_without_an_agent(cli: Cli, tmp_path: Path, line: str) -> None:
    path = tmp_path / "run" / "agent.sock"
    live = "hostagent check --live reads the host itself (systemctl status hostagent)"
    said = cli(line)
    assert (said.code, said.out) == (3, "")
    assert said.err == f"hostagent: no agent runs here ({path}: No such file or directory): {live}\n"
    path.parent.mkdir()
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    assert cli(line).err == f"hostagent: no agent runs here ({path}: Connection refused): {live}\n"


def test_an_agent_that_hangs_is_not_waited_for_longer_than_asked(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "run" / "agent.sock"
    path.parent.mkdir()
    with socket.socket(socket.AF_UNIX) as hung:
        hung.bind(str(path))
        hung.listen(0)
        for _ in range(3):  # the backlog takes the first ones, the last finds it full
            said = cli("check --timeout 300ms")
            assert (said.code, said.out) == (3, "")
            assert said.err.startswith(
                f"hostagent: the agent does not answer within 0.3 s ({path}): systemctl"
            )
            assert said.err.count("\n") == 1


@pytest.mark.parametrize(
    "answer", [b"", b"\n", b"{}\n", b"[1]\n", b'{"ok": 1}\n', b'{"ok": true}\n', b"half"]
)
def test_whatever_it_answers_is_one_line(cli: Cli, tmp_path: Path, answer: bytes) -> None:
    path = tmp_path / "run" / "agent.sock"
    path.parent.mkdir()
    with socket.socket(socket.AF_UNIX) as odd:
        odd.bind(str(path))
        odd.listen(1)
        thread = threading.Thread(target=_answer_one, args=(odd, answer))
        thread.start()
        said = cli("check")
        thread.join()
    assert (said.code, said.out) == (3, "")
    assert said.err.count("\n") == 1
    assert re.search("can't be (asked|understood)", said.err)


def _answer_one(listener: socket.socket, answer: bytes) -> None:
    with listener.accept()[0] as connection:
        connection.recv(1 << 16)
        connection.sendall(answer)
