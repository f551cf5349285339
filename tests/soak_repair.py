"""`make soak-repair`: the full counts of the repair's acceptance; the test command runs a part of each.

Resumable: what has passed is in .soak/repair.json, so a run that was cut goes on where it was. The
result is written to docs/acceptance/soak-repair.md.
"""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from random import Random

from tests import lab
from tests.live.churn import Churn
from tests.live.look import alarms
from tests.live.wreck import Wreck, wreck
from tests.soaks import Progress

SEED = 20261122
KILLS = 200
CHURN_SECONDS = 120.0
PROGRESS = Progress("repair")
RESULT = Path("docs/acceptance/soak-repair.md")


def node(name: str) -> lab.Node:
    """Return a fresh node that goes with this process."""
    lab.down_if_there(name)
    return lab.up(name, owner=os.getpid())


def kills(state: dict[str, float]) -> None:
    """SIGKILL fix at random moments; after each the next fix, or undo, must leave nothing lost."""
    if state.get("kills", 0) >= KILLS:
        return
    broken: Wreck = wreck(node, "soak-kills")
    for turn in range(int(state.get("kills", 0)), KILLS):
        rng = Random(SEED + turn)
        broken.break_it()
        state["struck"] = state.get("struck", 0) + broken.killed_after(rng.uniform(0.1, 1.0))
        broken.recovered("fix" if turn % 2 else "undo")
        state["kills"] = turn + 1
        PROGRESS.keep(state)
        if turn % 20 == 19:
            print(f"kills: {turn + 1} of {KILLS}, {state['struck']:.0f} while fix ran", flush=True)
    broken.node.down()


def churn(state: dict[str, float]) -> None:
    """Guests start and stop while check and fix run in a loop."""
    if "churn" in state:
        return
    made = Churn(node("soak-churn"), Random(SEED))
    made.run(CHURN_SECONDS)
    if made.faults:
        raise SystemExit("\n".join(made.faults))
    if kinds := made.changed() - {"delete QoS", "delete queue"}:
        raise SystemExit(f"fix changed what lives: {', '.join(sorted(kinds))}")
    made.node.run("hostagent", "fix", "--apply")
    if left := alarms(made.node):
        raise SystemExit(f"left at the end: {', '.join(sorted(left))}")
    state |= {"churn": CHURN_SECONDS, "starts": made.starts, "stops": made.stops, "looks": made.looks}
    PROGRESS.keep(state)
    made.node.down()


def report(state: dict[str, float]) -> str:
    """The result as a page."""
    return (
        "# Soak of the repair\n\n"
        f"`make soak-repair`, {datetime.now(UTC):%Y-%m-%d}, seed {SEED}.\n\n"
        "| what | count | result |\n|---|---|---|\n"
        f"| `fix --apply` ended by SIGKILL at a random moment, then `fix` or `undo` | {state['kills']:.0f} "
        f"({state['struck']:.0f} of them while it ran) | every row as wished, or as it was, each time |\n"
        f"| check and fix in a loop while guests start, stop and are redefined | {state['churn']:.0f} s, "
        f"{state['starts']:.0f} starts, {state['stops']:.0f} stops, {state['looks']:.0f} looks | "
        "no false alarm, nothing live changed |\n"
    )


def main() -> int:
    """Do what is not done yet, and write the page."""
    state = PROGRESS.read()
    kills(state)
    churn(state)
    RESULT.parent.mkdir(parents=True, exist_ok=True)
    RESULT.write_text(report(state))
    PROGRESS.done()
    print(RESULT.read_text())
    return 0


if __name__ == "__main__":
    sys.exit(main())
