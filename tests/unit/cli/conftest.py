"""A command line over hosts written in TOML, in place of a Gatherer."""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import pytest

from hostagent.cli import app, check_live, dhcp, fix, ports, session, words
from hostagent.health.case import parse_host
from hostagent.model.host import Snapshot


class FakeGatherer:
    """Shows the hosts one after another, the last one for ever."""

    def __init__(self, hosts: list[str]) -> None:
        self.hosts = hosts
        self.asked: list[dict[str, object]] = []

    def look(self, **asked: object) -> Snapshot:
        self.asked.append(asked)
        return parse_host(self.hosts[min(len(self.asked), len(self.hosts)) - 1])


@dataclass
class Said:
    code: int
    out: str
    err: str


@dataclass
class Cli:
    """Call it with a command line; ``gatherer`` is what it looked with, ``slept`` how long it waited."""

    run: Callable[[str], Said]
    show: Callable[..., FakeGatherer]
    slept: list[float]

    def __call__(self, line: str) -> Said:
        return self.run(line)


@pytest.fixture
def cli(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Cli:
    slept: list[float] = []
    settings = tmp_path / "hostagent.toml"
    paths = {"checks_dir": "checks.d", "state_dir": "state", "run_dir": "run", "stop_file": "stop"}
    lines = (f'{key} = "{tmp_path}/{name}"\n' for key, name in paths.items())
    settings.write_text("".join(["[paths]\n", *lines]))
    monkeypatch.setattr(session, "DEFAULT_FILE", str(settings))
    monkeypatch.setattr(os, "uname", lambda: SimpleNamespace(nodename="node1"))
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr("hostagent.cli.looking.time.sleep", slept.append)
    monkeypatch.setattr(words, "colored", lambda: False)

    def show(*hosts: str) -> FakeGatherer:
        gatherer = FakeGatherer(list(hosts))
        for module in (check_live, dhcp, fix, ports):
            monkeypatch.setattr(module, "Gatherer", lambda _: gatherer)
        return gatherer

    def run(line: str) -> Said:
        code = app.run(line.split(), started=time.monotonic())
        caught = capsys.readouterr()
        return Said(code, caught.out, caught.err)

    return Cli(run, show, slept)
