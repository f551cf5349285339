"""Controls with what they need around them."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from hostagent.daemon.controls import Controls
from hostagent.daemon.serve import Peer
from tests.unit.daemon.data import FINE, QOS, STALE, published

if TYPE_CHECKING:
    from pathlib import Path

    from hostagent.model.published import Published

ROOT = Peer(pid=1, uid=0, gid=0)
NOBODY = Peer(pid=2, uid=65534, gid=65534)
NOW = time.time()
MUTE: dict[str, Any] = {"code": "OVS_PORT_STALE", "seconds": 60, "reason": "known"}


class Agent:
    """Controls with what they need; ``told`` is what the loop published last."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.told: Published | None = published(STALE, QOS, FINE)
        self.woken = 0
        self.file = folder / "state" / "agent.json"
        self.controls = self.restarted()

    def restarted(self) -> Controls:
        return Controls(
            state_dir=str(self.file.parent),
            stop_file=str(self.folder / "stop"),
            published=lambda: self.told,
            wake=self._wake,
        )

    def _wake(self) -> None:
        self.woken += 1

    def ask(self, word: str, peer: Peer = ROOT, **more: object) -> Any:
        return self.controls.answer({"ask": word, **more}, peer)


@pytest.fixture
def agent(tmp_path: Path) -> Agent:
    return Agent(tmp_path)


def kinds(held: Controls, now: float = NOW) -> list[str]:
    return [each.kind for each in held.holds(now)]
