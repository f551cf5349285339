"""Power cuts and reboots in full numbers, with the package and without: `make soak-cuts`.

Seeded, so that every run meets the same hosts. Each turn's result is a line in docs/acceptance/; a run that
was interrupted goes on after the last one. The summary, docs/acceptance/cuts.md, is written at the end.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests import lab
from tests.lab.programs import LabError
from tests.live import boots, cuts

if TYPE_CHECKING:
    from collections.abc import Callable

OUT = Path(__file__).parent.parent / "docs" / "acceptance"


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def append(path: Path, result: dict[str, Any]) -> None:
    with path.open("a") as file:
        file.write(json.dumps(result) + "\n")
    print(f"{path.stem}: {result}", flush=True)


def node_for(name: str, *, package: bool) -> lab.Node:
    lab.down_if_there(name)
    node = lab.up(name, bare=not package, owner=os.getpid())
    if package:
        cuts.install_units(node)
    return node


def power_cuts(path: Path, seed: int, turns: int, *, package: bool) -> None:
    """Turn 0 makes the hosts of the first cut; a resumed run begins with those of the last one."""
    plan = cuts.plan(seed, turns)
    known = len(lines(path))
    if known > turns:
        return
    node = node_for("soak", package=package)
    first = replace(plan[max(0, known - 1)], number=0, undefined=())
    result = cuts.play(node, first, checked=package)
    if not known:
        append(path, result.as_json() | {"purge_seconds": None})
    for turn in plan[max(1, known) :]:
        result = cuts.play(node, turn, checked=package)
        mark = json.loads(node.read("/run/hostagent/purge.json")) if package else {}
        append(path, result.as_json() | {"purge_seconds": mark.get("seconds"), "purge": mark.get("state")})
    lab.down_if_there(node.name)


def reboots(path: Path, count: int, *, package: bool) -> None:
    """Clean reboots with guests that ignore ACPI."""
    known = len(lines(path))
    if known >= count:
        return
    node = node_for("soak", package=package)
    if package:
        node.reboot()
    for number in range(known + 1, count + 1):
        for guest in range(1, 4):
            node.guest(f"d{guest}", bridge="br-int", vlan=guest)
            node.run("virsh", "-q", "start", f"d{guest}", check=False)
        node.reboot()
        stale = [name for name in node.out("ovs-vsctl", "list-ports", "br-int").split() if "vnet" in name]
        stops, starts = boots.wrong_stops(boots.events(node, -1)), boots.wrong_starts(boots.events(node, 0))
        good = not (stops or starts or stale)
        append(path, {"turn": number, "good": good, "stops": stops, "starts": starts, "stale": stale})
    lab.down_if_there(node.name)


def summary(seed: int) -> str:
    text = (
        "# Power cuts and reboots\n\nWritten by `make soak-cuts`. Each line of the files "
        f"beside this page is a turn; seed {seed}.\n\n"
        "| campaign | turns | right | not right because of |\n|---|---|---|---|\n"
    )
    for path in sorted(OUT.glob("*.jsonl")):
        found = [each for each in lines(path) if each["turn"]]
        reasons: dict[str, int] = {}
        for each in found:
            for key in ("log_errors", "failed_starts", "wrong_network", "alarms", "stops", "starts", "stale"):
                if each.get(key):
                    reasons[key] = reasons.get(key, 0) + 1
        words = ", ".join(f"{key} in {count} turns" for key, count in reasons.items()) or "nothing"
        text += f"| {path.stem} | {len(found)} | {sum(each['good'] for each in found)} | {words} |\n"
    every = [each for path in OUT.glob("*.jsonl") for each in lines(path)]
    seconds = [each["purge_seconds"] for each in every if each.get("purge_seconds")]
    if seconds:
        text += f"\nThe purge took {min(seconds):.2f} to {max(seconds):.2f} s, the imports included.\n"
    return text


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--turns", type=int, default=20)
    parser.add_argument("--reboots", type=int, default=10)
    parser.add_argument("--seed", type=int, default=4)
    options = parser.parse_args()
    OUT.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    campaigns: list[Callable[[], None]] = []
    for word, package in (("with", True), ("without", False)):
        cut, boot = OUT / f"cuts-{word}.jsonl", OUT / f"reboots-{word}.jsonl"
        campaigns.append(partial(power_cuts, cut, options.seed, options.turns, package=package))
        campaigns.append(partial(reboots, boot, options.reboots, package=package))
    try:
        for campaign in campaigns:
            campaign()
    except LabError as error:
        print(f"soak: {error}\nsoak: run it again to go on", file=sys.stderr)
        return 1
    finally:
        lab.down_if_there("soak")
    text = summary(options.seed)
    (OUT / "cuts.md").write_text(text)
    print(f"{text}\n{time.monotonic() - began:.0f} s")
    every = [each for path in OUT.glob("*-with.jsonl") for each in lines(path)]
    return 0 if all(each["good"] for each in every) else 1


if __name__ == "__main__":
    raise SystemExit(main())
