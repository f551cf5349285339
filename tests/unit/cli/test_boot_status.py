"""hostagent boot status, hold, resume and go, against an agent's real socket."""

from __future__ import annotations

import getpass
import json
import os
import re
from contextlib import closing
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from hostagent.daemon.requests import asked_by
from hostagent.daemon.serve import Server
from hostagent.errors import RefusedError
from hostagent.model.boot_told import BootsTold, GuestTold
from tests.unit.cli.agents import Agent
from tests.unit.cli.boots import IDLE, NOW, STORM
from tests.unit.cli.test_check import golden
from tests.unit.daemon import data

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from hostagent.daemon.listening import Peer
    from tests.unit.cli.conftest import Cli

    Tell = Callable[[BootsTold | None], None]

SCHEMA = json.loads((Path(__file__).parents[3] / "docs/schema/boot-v1.json").read_text())
HALTED = replace(STORM, halted="paused by alice: new switch")
STATES = {
    "storm": STORM,
    "idle": IDLE,
    "halted": HALTED,
    "held": replace(STORM, hold="backup runs"),
    "held-without-reason": replace(IDLE, hold="held"),
    "blind": replace(STORM, unknown_since=NOW - 300),
    "off": replace(IDLE, enabled=False),
}


@pytest.fixture
def agent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Agent]:
    monkeypatch.setattr("hostagent.cli.boot.time", SimpleNamespace(time=lambda: NOW))
    agent = Agent(tmp_path)
    with closing(agent.server):
        yield agent


@pytest.fixture
def tell(agent: Agent) -> Tell:
    def tell(told: BootsTold | None) -> None:
        agent.told = replace(data.published(), taken_at=NOW - 12, boots=told)

    return tell


@pytest.mark.parametrize("name", STATES)
def test_golden(cli: Cli, tell: Tell, name: str) -> None:
    tell(STATES[name])
    said = cli("boot status")
    assert said.err == ""
    golden(f"boot-{name}.txt", f"{said.out}exit {said.code}\n")


def test_status_is_what_the_group_does(cli: Cli, tell: Tell) -> None:
    tell(STORM)
    assert cli("boot").out == cli("boot status").out


@pytest.mark.parametrize("name", STATES)
def test_json_is_as_published(cli: Cli, tell: Tell, name: str) -> None:
    tell(STATES[name])
    said = cli("boot status --json")
    document = json.loads(said.out)
    import_module("jsonschema").Draft202012Validator(SCHEMA).validate(document)  # it ships no types
    assert list(document) == list(SCHEMA["properties"])
    for key, kind in (("pools", "pool"), ("guests", "guest")):
        for each in document[key]:
            assert list(each) == list(SCHEMA["$defs"][kind]["properties"])
    assert said.code == (3 if name == "blind" else 0)
    assert "\x1b" not in said.out


def crowd(booting: int, queued: int, timed_out: int) -> BootsTold:
    states = ["booting"] * booting + ["held"] * queued + ["timed out"] * timed_out
    guests = (
        GuestTold(uuid=f"u{number}", name=f"{state[0]}{number:03}", pool="md0", state=state, since=NOW)
        for number, state in enumerate(states)
    )
    return replace(STORM, guests=tuple(guests))


@pytest.mark.parametrize("counts", [(30, 270, 40), (0, 300, 0), (40, 1, 1), (1, 1, 40)])
def test_the_screen_is_one_screen(cli: Cli, tell: Tell, counts: tuple[int, int, int]) -> None:
    tell(crowd(*counts))
    lines = cli("boot status").out.splitlines()
    assert len(lines) <= 24
    assert len(lines) >= 22
    shown = [line for line in lines if re.match(r"(\d+\. )?[bht]\d\d\d ", line)]
    left = sum(int(found[1]) for line in lines if (found := re.match(r"and (\d+) more", line)))
    assert len(shown) + left == sum(counts)
    for letter, count in zip("bht", counts, strict=True):
        of_it = [line for line in shown if re.match(rf"(\d+\. )?{letter}", line)]
        assert len(of_it) >= min(count, 2)
    whole = cli("boot status --full").out
    assert "more (--full" not in whole
    assert len(re.findall(r"(?m)^(?:\d+\. )?[bht]\d\d\d ", whole)) == sum(counts)


def test_many_pools_leave_room_for_guests(cli: Cli, tell: Tell) -> None:
    idle = tuple(replace(IDLE.pools[0], pool=f"nfs:{number}") for number in range(20))
    tell(replace(crowd(9, 9, 9), pools=(*idle, *STORM.pools)))
    said = cli("boot status").out
    assert len(said.splitlines()) <= 24
    assert all(f"\n{name} " in said for name in ("md0", "node", "ceph:vms"))
    assert "and 20 more pools (--full prints all)" in said
    assert "nfs:19" in cli("boot status --full").out


def test_a_stale_agent_is_not_believed(cli: Cli, agent: Agent) -> None:
    agent.told = replace(data.published(), taken_at=NOW - 400, boots=STORM)
    said = cli("boot status")
    assert said.code == 3
    assert said.out.startswith("UNKNOWN boots of node1: 3 booting, 3 queued (1 started and suspended)")
    assert "stale: the agent looked 7 min ago" in said.out.splitlines()[0]
    assert json.loads(cli("boot status --json").out)["state"] == "unknown"


def test_an_older_agent_is_one_line(cli: Cli, tell: Tell) -> None:
    tell(None)
    for line in ("boot status", "boot status --json"):
        said = cli(line)
        assert (said.code, said.out) == (3, "")
        assert said.err == (
            "hostagent: the agent tells nothing of boots (is it of an older version? "
            "systemctl restart hostagent)\n"
        )


@pytest.mark.parametrize("line", ["boot", "boot status", "boot hold", "boot resume", "boot go a"])
def test_without_an_agent(cli: Cli, tmp_path: Path, line: str) -> None:
    said = cli(line)
    assert (said.code, said.out) == (3, "")
    assert said.err.startswith(f"hostagent: no agent runs here ({tmp_path}/run/agent.sock: No such file")
    assert said.err.count("\n") == 1


def test_watch_in_a_pipe_says_changes(
    cli: Cli, agent: Agent, tell: Tell, monkeypatch: pytest.MonkeyPatch
) -> None:
    def end() -> None:
        raise KeyboardInterrupt

    older = replace(STORM, guests=tuple(replace(each, iops=1.0) for each in STORM.guests))
    tell(STORM)
    turns = iter([lambda: tell(older), lambda: tell(HALTED), lambda: tell(IDLE), agent.server.close, end])
    monkeypatch.setattr("hostagent.cli.repeating.time.sleep", lambda _: next(turns)())
    said = cli("boot status --watch")
    assert said.code == 3
    lines = [re.sub(r"^\S+ \S+ \S+ ", "", line) for line in said.out.splitlines()]
    assert [line.split()[0] for line in lines] == ["PACING", "HALTED", "IDLE", "UNKNOWN"]
    assert "no agent runs here" in lines[3]


def test_watch_goes_with_text_only(cli: Cli) -> None:
    said = cli("boot status --watch --json")
    assert (said.code, said.out) == (3, "")
    assert said.err.startswith("hostagent: --watch goes with text only (")


class Listening:
    """What the agent was asked; it answers with the names of ``queue``, or with an error."""

    def __init__(self) -> None:
        self.asked: list[Mapping[str, Any]] = []
        self.by: list[str] = []
        self.queue = ["db", "evil\x1bname"]
        self.error = ""

    def answer(self, request: Mapping[str, Any], peer: Peer) -> Mapping[str, Any]:
        self.asked.append({key: value for key, value in request.items() if key != "sudo_user"})
        self.by.append(asked_by(request, peer))
        if self.error:
            raise RefusedError(self.error)
        return {"ok": True, "names": self.queue}


@pytest.fixture
def listening(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Listening]:
    monkeypatch.setenv("SUDO_USER", "alice")
    found = Listening()
    server = Server(str(tmp_path / "run" / "agent.sock"), answer=found.answer, group="no-such-group")
    server.start()
    with closing(server):
        yield found


@pytest.mark.parametrize(
    ("line", "asked", "out"),
    [
        (
            "boot hold --reason backup",
            {"do": "hold", "reason": "backup"},
            "held: no guest is released until hostagent boot resume\n",
        ),
        (
            "boot hold",
            {"do": "hold", "reason": ""},
            "held: no guest is released until hostagent boot resume\n",
        ),
        ("boot resume", {"do": "resume"}, "resumed\n"),
        ("boot go db x", {"do": "go", "names": ["db", "x"]}, "let go: db, evil\\x1bname\n"),
        ("boot go --all", {"do": "go", "all": True}, "let go: db, evil\\x1bname\n"),
    ],
)
def test_requests(cli: Cli, listening: Listening, line: str, asked: dict[str, Any], out: str) -> None:
    said = cli(line)
    assert (said.code, said.out, said.err) == (0, out, "")
    assert listening.asked == [{"ask": "boot", **asked}]
    assert listening.by == ["alice" if os.getuid() == 0 else getpass.getuser()]


def test_nobody_waits(cli: Cli, listening: Listening) -> None:
    listening.queue = []
    assert cli("boot go --all").out == "nobody waits\n"


def test_the_agents_errors_are_shown_as_they_are(cli: Cli, listening: Listening) -> None:
    listening.error = "xyz does not wait (hostagent boot status shows who does)"
    said = cli("boot go xyz")
    assert (said.code, said.out, said.err) == (3, "", f"hostagent: {listening.error}\n")


@pytest.mark.parametrize("line", ["boot go", "boot go --all a", "boot adopt", "boot release --all a"])
def test_names_or_all(cli: Cli, line: str) -> None:
    said = cli(line)
    assert (said.code, said.out) == (3, "")
    assert said.err.startswith("hostagent: name domains, or --all (")
