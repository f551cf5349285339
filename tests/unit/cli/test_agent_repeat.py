"""hostagent check --wait and --watch."""

from __future__ import annotations

import os
import pty
import re
import select
import signal
import subprocess
import sys
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from tests.unit.cli.agents import Agent
from tests.unit.cli.hosts import HEALTHY, STALE
from tests.unit.daemon import data
from tests.unit.daemon.data import FINE, FLOWS, QOS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.unit.cli.conftest import Cli


@pytest.fixture
def agent(tmp_path: Path) -> Iterator[Agent]:
    agent = Agent(tmp_path)
    with closing(agent.server):
        agent.tell(data.STALE, QOS, FINE, FLOWS)
        yield agent


def test_wait_ends_with_the_first_good_look(cli: Cli, agent: Agent, monkeypatch: pytest.MonkeyPatch) -> None:
    looks = iter([(QOS,), (data.STALE,), (FINE,)])

    def pause(_: float) -> None:
        agent.tell(*next(looks))

    monkeypatch.setattr("hostagent.cli.check_repeat.time.sleep", pause)
    said = cli("check -q --wait 5m")
    assert (said.code, said.out) == (0, "OK node1: 1 ok (looked 12 s ago)\n")
    assert list(looks) == []


def test_wait_gives_up_with_what_is(cli: Cli, agent: Agent) -> None:
    agent.tell(QOS)
    assert cli("check --wait 100ms").code == 1
    agent.server.close()
    said = cli("check --wait 100ms")
    assert (said.code, said.out) == (3, "")
    assert "no agent runs here" in said.err


def test_wait_works_with_live(cli: Cli) -> None:
    cli.show(STALE, STALE, STALE, HEALTHY)
    assert cli("check --live --wait 1m OVS_PORT_STALE").code == 0
    assert cli.slept


def test_watch_in_a_pipe_says_changes_and_ends_with_the_last_code(
    cli: Cli, agent: Agent, monkeypatch: pytest.MonkeyPatch
) -> None:
    def close() -> None:
        agent.server.close()

    def end() -> None:
        raise KeyboardInterrupt

    turns = iter([lambda: None, lambda: agent.tell(FINE), lambda: agent.tell(FINE, age=60), close, end])
    monkeypatch.setattr("hostagent.cli.check_repeat.time.sleep", lambda _: next(turns)())
    said = cli("check --watch")
    assert said.code == 3
    lines = [re.sub(r"^\S+ \S+ \S+ ", "", line) for line in said.out.splitlines()]
    assert lines[:2] == ["CRIT node1: 1 crit, 1 warn, 1 ok, 1 skipped", "OK node1: 1 ok"]
    assert lines[2].startswith("UNKNOWN no agent runs here")
    assert len(lines) == 3


def test_watch_repaints_a_terminal_until_ctrl_c(agent: Agent, tmp_path: Path) -> None:
    agent.tell(QOS)
    settings = tmp_path / "settings.toml"
    settings.write_text(f'[paths]\nrun_dir = "{tmp_path}/run"\n')
    heard = (
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"  # a shell's & ignores it
    )
    argv = [
        sys.executable,
        "-c",
        f"{heard}; from hostagent.cli import main; main()",
        "--config",
        str(settings),
        "check",
    ]
    ours, theirs = pty.openpty()
    with subprocess.Popen([*argv, "--watch"], stdout=theirs, stderr=theirs) as process:
        os.close(theirs)
        shown = _until(ours, b"WARN")
        agent.tell(FINE)
        shown += _until(ours, b"OK")
        agent.tell(QOS)
        shown += _until(ours, b"WARN")
        process.send_signal(signal.SIGINT)
        try:
            assert process.wait(60) == 1
        finally:
            process.kill()
    os.close(ours)
    assert shown.count(b"\x1b[H\x1b[2J") >= 3
    assert b"Traceback" not in shown


def _until(terminal: int, word: bytes) -> bytes:
    shown = b""
    while word not in shown:
        assert select.select([terminal], [], [], 60)[0]
        shown += os.read(terminal, 1 << 16)
    return shown
