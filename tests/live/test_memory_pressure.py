"""A slow leak to real pressure, on real memory: each level in its order, each alert once, no hasty way back.

The thresholds are shares of MemTotal, and this machine has no swap and shares its memory with everything else
that runs. So the agent's /proc/meminfo is that of a machine of 6 GiB (leak.py; a drop-in binds it there):
MemAvailable falls by exactly what the kernel says that the leak has taken, from 6 GiB on, and less than 6 GiB
are really taken. Pressure (PSI) and the counters are the machine's own. A better level is believed after 5 s
instead of 5 minutes (memory.calm_seconds); the 5 minutes are in tests/unit/decide/test_memory_state.py, on a
clock of its own.
"""

from __future__ import annotations

import json
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from hostagent.sources.memory import MemoryReader
from tests.lab import soon
from tests.live import agent

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.lab import Node

GIB = 6
CALM = 5.0
DROP_IN = "/etc/systemd/system/hostagent.service.d/small.conf"
SETTINGS = f"[agent]\npulse_seconds = 0.5\ninterval_seconds = 60\n[memory]\ncalm_seconds = {CALM}\n"

pytestmark = [
    pytest.mark.lab,
    pytest.mark.alone,
    pytest.mark.skipif(
        (MemoryReader().read().available or 0) < (GIB + 4) << 30, reason=f"{GIB + 4} GiB must be available"
    ),
]


class Leak:
    """leak.py in the node."""

    def __init__(self, node: Node) -> None:
        node.put(Path(__file__).with_name("leak.py"), "/root/leak.py")
        self._node = node
        pipe = subprocess.PIPE
        self._process = node.popen("python3", "/root/leak.py", str(GIB), stdin=pipe, stdout=pipe, text=True)
        self._hear("ready\n")
        self._hear("there\n")

    def leave(self, share: float) -> None:
        """Leak, or give back, until such a share is available; and then hold it."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{share}\n")
        self._process.stdin.flush()
        self._hear("there\n")

    def until(self, expected: str, share: float, *, seconds: float) -> float:
        """Leave such a share; how long after that, and since it began, the agent tells the level."""
        began = time.monotonic()
        self.leave(share)
        left_at = time.monotonic()
        if not soon(seconds, lambda: level(self._node) == expected):
            told = agent.published(self._node)
            raise AssertionError(
                f"not {expected} within {seconds} s after {share:.1%} were left: {told['memory']}; "
                f"{agent.problems(self._node)}; told were {self.end()}"
            )
        print(f"{expected}: {time.monotonic() - left_at:.1f} s after {share:.1%} were left")
        return time.monotonic() - began

    def end(self) -> list[list[str]]:
        """Give all back; what the agent told meanwhile."""
        told: list[list[str]] = json.loads(self._process.communicate(timeout=60)[0])
        return told

    def _hear(self, word: str) -> None:
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == word


def level(node: Node) -> str:
    told = agent.published(node)["memory"]
    return "" if told is None else str(told["level"])


def test_each_level_in_its_order_and_back(make_node: Callable[..., Node]) -> None:
    node = make_node("memory-pressure", agent=True)
    leak = Leak(node)
    node.run("install", "-d", str(Path(DROP_IN).parent))
    node.write(DROP_IN, "[Service]\nBindReadOnlyPaths=/run/meminfo:/proc/meminfo\n")
    node.run("systemctl", "daemon-reload")
    agent.configure(node, SETTINGS)
    agent.until("it looked", lambda: level(node) == "high", seconds=30)
    for share, expected in ((0.15, "clear"), (0.075, "soft"), (0.035, "hard")):
        leak.until(expected, share, seconds=30)
    for _ in range(2):  # a moment of relief, shorter than what is believed
        leak.leave(0.15)
        time.sleep(CALM / 3)
        leak.leave(0.035)
        time.sleep(CALM / 2)  # the agent feels every 0.5 s how it is: it must have felt this
    for share, expected in ((0.09, "soft"), (0.4, "high")):
        assert leak.until(expected, share, seconds=CALM + 30) > CALM - 1
    assert leak.end() == [
        ["high", "ok"],
        ["clear", "ok"],
        ["soft", "warn"],
        ["hard", "crit"],
        ["soft", "warn"],
        ["high", "ok"],
    ]
    lines = [line for line in agent.log(node).splitlines() if line.startswith("MEMORY_PRESSURE ")]
    words = [" ".join(line.split()[:2]).rstrip(":") for line in lines]
    assert words == [f"MEMORY_PRESSURE {state}" for state in ("warn", "crit", "warn", "ok")], lines
