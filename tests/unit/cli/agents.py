"""An agent for the command line's tests: a real socket and real controls, with a hand-made report."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from hostagent.daemon.controls import Controls
from hostagent.daemon.serve import Server
from tests.unit.daemon.data import published

if TYPE_CHECKING:
    from pathlib import Path

    from hostagent.health.report import Result
    from hostagent.model.published import Published


class Agent:
    """Serves ``folder``/run/agent.sock; ``told`` is what its loop published last."""

    def __init__(self, folder: Path, group: str = "no-such-group") -> None:
        self.told: Published | None = None
        self.after_look: tuple[Result, ...] = ()
        self.woken = 0
        self.controls = Controls(
            state_dir=str(folder / "state"),
            stop_file=str(folder / "stop"),
            published=lambda: self.told,
            wake=self._wake,
        )
        self.server = Server(str(folder / "run" / "agent.sock"), answer=self.controls.answer, group=group)
        self.server.start()

    def tell(self, *results: Result, age: float = 12.0) -> None:
        self.told = published(*results, age=age)

    def _wake(self) -> None:
        self.woken += 1
        if self.after_look:
            self.told = replace(published(*self.after_look, age=0.0), taken_at=time.time())
