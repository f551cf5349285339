"""`make soak-agent`: the full counts of the agent's acceptance; the test command runs a part of each.

Resumable: what has passed is in .soak/agent.json. The result is written to docs/acceptance/agent.md.
"""

from __future__ import annotations

import os
import sys
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

from tests import lab
from tests.live import agent
from tests.live.faults import Faults, Size
from tests.live.test_agent_hung import SECTIONS, hang
from tests.soaks import Progress

SEED = 20261123
FAULTS, ROUND = 1000, 50
HANG_SECONDS = 120.0
PROGRESS = Progress("agent")
RESULT = Path("docs/acceptance/agent.md")


def fresh_node(name: str) -> lab.Node:
    """Return a fresh node with the agent, that goes with this process."""
    lab.down_if_there(name)
    return lab.up(name, agent=True, owner=os.getpid())


def faults(state: dict[str, Any]) -> None:
    """Random faults in rounds; after each all must be well and the agent no larger than it was."""
    if state.get("faults", 0) >= FAULTS:
        return
    done = int(state.get("faults", 0))
    made = Faults(fresh_node("soak-faults"), Random(SEED + done))
    made.run(5)  # warm: what is imported or connected once is no leak
    before = made.size()
    state.setdefault("first", vars_of(before))
    while done < FAULTS:
        made.run(ROUND)
        done += ROUND
        now = made.size()
        if now.threads > before.threads + 4 or now.descriptors > before.descriptors + 6:
            raise SystemExit(f"the agent has grown from {before} to {now}")
        if now.resident_bytes > before.resident_bytes + (24 << 20):
            raise SystemExit(f"the agent has grown from {before} to {now}")
        struck = Counter(state.get("struck", {})) + made.struck
        state |= {"faults": done, "struck": dict(struck), "last": vars_of(now)}
        state |= {"starts": state.get("starts", 0) + made.starts, "stops": state.get("stops", 0) + made.stops}
        made.struck.clear()
        made.starts = made.stops = 0
        PROGRESS.keep(state)
        print(f"faults: {done} of {FAULTS}, {now}", flush=True)
    made.node.down()


def hangs(state: dict[str, Any]) -> None:
    """Each daemon stopped for two minutes."""
    left = [daemon for daemon in SECTIONS if daemon not in state.get("hung", [])]
    if not left:
        return
    node = fresh_node("soak-hung")
    node.guest("g1", bridge="br-int", vlan=40)
    node.start("g1")
    agent.configure(node, agent.settings(0.5))
    for daemon in left:
        hang(node, daemon, HANG_SECONDS)
        state["hung"] = [*state.get("hung", []), daemon]
        PROGRESS.keep(state)
    node.down()


def vars_of(size: Size) -> dict[str, int]:
    """The record as JSON has it."""
    return {name: getattr(size, name) for name in Size.__slots__}


def report(state: dict[str, Any]) -> str:
    """The result as a page."""
    struck = ", ".join(f"{what} {count}" for what, count in sorted(state["struck"].items()))
    first, last = state["first"], state["last"]
    return (
        "# Soak of the agent\n\n"
        f"`make soak-agent`, {datetime.now(UTC):%Y-%m-%d}, seed {SEED}.\n\n"
        "| what | count | result |\n|---|---|---|\n"
        f"| a daemon or the agent stopped, killed, restarted or hung at random, guests starting and stopping "
        f"| {state['faults']} ({struck}); {state['starts']} starts, {state['stops']} stops "
        f"| after each {ROUND} every steady guest is the same process with the same rows, check exits 0 |\n"
        f"| the agent's size | after warming, at the end | {first['resident_bytes'] >> 20} and "
        f"{last['resident_bytes'] >> 20} MiB, {first['threads']} and {last['threads']} threads, "
        f"{first['descriptors']} and {last['descriptors']} descriptors |\n"
        f"| SIGSTOP for {HANG_SECONDS:g} s | {', '.join(state['hung'])} | down in /metrics within 10 s, "
        "scrapes under 100 ms, no repair, up within 5 s of SIGCONT, the watchdog fed |\n"
    )


def main() -> int:
    """Do what is not done yet, and write the page."""
    state = PROGRESS.read()
    hangs(state)
    faults(state)
    RESULT.parent.mkdir(parents=True, exist_ok=True)
    RESULT.write_text(report(state))
    PROGRESS.done()
    print(RESULT.read_text())
    return 0


if __name__ == "__main__":
    sys.exit(main())
