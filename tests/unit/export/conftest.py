"""Fixture: exporters that end with the test."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.lab import soon
from tests.unit.export.running import MAIN, Running, free_port

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[[], Running]]:
    made: list[Running] = []

    def run() -> Running:
        config, log = tmp_path / "hostagent.toml", tmp_path / "log"
        running = Running(process=None, folder=tmp_path, port=free_port(), log=log)  # type: ignore[arg-type]
        running.settle()
        with log.open("w") as stream:
            running.process = subprocess.Popen([*MAIN, "--config", str(config)], stderr=stream, text=True)
        made.append(running)
        assert soon(30, lambda: "listening" in log.read_text()), log.read_text()
        return running

    yield run
    for each in made:
        each.process.kill()
        each.process.wait()
