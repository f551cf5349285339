"""`make soak-dhcp`: every row of DHCP.md's table and healthy setup twenty times, a hundred killed probes.

Resumable: what has passed is in .soak/dhcp.json, so a run that was cut goes on where it was. The result is
written to docs/acceptance/dhcp.md.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

from hostagent.act.dhcp.passive import Watcher
from hostagent.act.dhcp.probe import remove_leftovers
from hostagent.config import Settings
from hostagent.config.records import Paths, Sources
from hostagent.model.dhcp import Outcome
from tests.live.dhcp_judge import faults
from tests.live.dhcp_rig import NETWORKS, Rig, reap
from tests.live.dhcp_rows import HEALTHY, ROWS
from tests.live.test_dhcp_probe import PROBING
from tests.soak_dhcp_packets import soak
from tests.soaks import Progress

if TYPE_CHECKING:
    from collections.abc import Callable

SEED = 20261123
RUNS = 20
KILLS = 100
WORKERS = 4
PROGRESS = Progress("dhcp")
RESULT = Path("docs/acceptance/dhcp.md")
_EVERY = {row.name: row for row in (*ROWS, *HEALTHY)}
_LIFE_SECONDS = 75.0  # a lease of two minutes is renewed after one


@cache
def rig(apart: bool) -> Rig:  # noqa: FBT001  a key of the cache
    """One rig of each kind for each worker."""
    return Rig("s" + "ha"[apart], apart=apart)


@cache
def settings() -> Settings:
    """A lock of each worker's own, and no OVSDB."""
    folder = tempfile.mkdtemp(prefix="soak-dhcp-")
    return Settings(paths=Paths(run_dir=folder), sources=Sources(ovsdb_socket=f"{folder}/none"))


def one(name: str, turn: int) -> list[str]:
    """A run of a row; the layer renew, which takes up to 20 s, in every fourth one."""
    row = _EVERY[name]
    return faults(rig(row.apart), row, SEED + turn, settings(), renew=turn % 4 == 0)


def kill(turn: int) -> list[str]:
    """SIGKILL a probe at a random moment; nothing may be left."""
    made = rig(False)  # noqa: FBT003  the same
    if turn % 25 == 0 or not made.serving(1):
        made.reset()
        made.serve(1, "--bind-interfaces --interface=br1 --no-ping")
    links = made.ip(1, "-br link")
    kind = "renew" if turn % 4 == 3 else "unicast"
    argv = [sys.executable, "-c", PROBING, settings().paths.run_dir, made.target(1).namespace, kind]
    with subprocess.Popen(argv, stdout=subprocess.PIPE) as probing:
        assert probing.stdout is not None
        probing.stdout.readline()
        time.sleep(Random(SEED + turn).uniform(0.1, 0.5))
        probing.kill()
    remove_leftovers(settings())
    after = made.ip(1, "-br link")
    return [] if after == links else [f"kill {turn}: {after}"]


def lives(name: str) -> list[str]:
    """Guests whose udhcpc renews two-minute leases in its own time: the watcher says what they saw."""
    row, made = _EVERY[name], rig(_EVERY[name].apart)
    made.reset()
    row.serve(made, Random(SEED))
    watchers = {network: Watcher(made.target(network)) for network in NETWORKS}
    for watcher in watchers.values():
        watcher.start()
    for guests in made.guests.values():
        for guest in guests:
            guest.start(stays=True)
    time.sleep(_LIFE_SECONDS)
    wrong = []
    for place, network in enumerate(NETWORKS):
        watchers[network].stop()
        report = watchers[network].report()
        renewed = sum(guest.said("renew") > 0 for guest in made.guests[network])
        if report.outcome not in row.unicast[place] or report.asked != len(made.guests[network]):
            wrong.append(f"{name}, net{network}: {report.outcome} of {report.asked} guests ({report.detail})")
        if report.outcome is Outcome.DEAD and renewed and report.answered:
            wrong.append(f"{name}, net{network}: {renewed} guests renewed, the watcher says dead")
    made.reset()
    return wrong


def attempt(key: str, call: Callable[..., list[str]], words: tuple[Any, ...]) -> list[str]:
    """What ``call`` finds wrong; a crash is one of these, and ends no other task."""
    try:
        return call(*words)
    except Exception as error:  # noqa: BLE001  the report names it
        return [f"{key}: {error!r}"]


def sockets() -> list[str]:
    """The socket layer's rows and healthy setups, each twenty times."""
    words = (
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "tests/live/test_dhcp_sockets.py",
    )
    done = subprocess.run(
        words, env=os.environ | {"DHCP_RUNS": str(RUNS)}, capture_output=True, text=True, check=False
    )
    return [] if done.returncode == 0 else [f"socket layer: {done.stdout[-2000:]}"]


def tasks(state: dict[str, Any]) -> list[tuple[str, Any, tuple[Any, ...]]]:
    """What is left to do: key, function, arguments."""
    every: list[tuple[str, Any, tuple[Any, ...]]] = [
        (f"{name} #{turn}", one, (name, turn)) for turn in range(RUNS) for name in _EVERY
    ]
    every.append(("socket layer", sockets, ()))
    every += [(f"life of {name}", lives, (name,)) for name in ("bound", "stolen")]
    every += [(f"kill #{turn}", kill, (turn,)) for turn in range(KILLS)]
    return [each for each in every if each[0] not in state["passed"]]


def page(state: dict[str, Any]) -> str:
    """The result."""
    passed = state["passed"]

    def line(name: str) -> str:
        return f"| {name} | {sum(f'{name} #{turn}' in passed for turn in range(RUNS))} of {RUNS} |\n"

    lived = [name for name in ("bound", "stolen") if f"life of {name}" in passed]
    killed = sum(f"kill #{turn}" in passed for turn in range(KILLS))
    failed = "".join(f"- {each.splitlines()[0]}\n" for each in state["failed"]) or "None.\n"
    return (
        "# DHCP probes: the soak\n\n"
        f"`make soak-dhcp`, {datetime.now(UTC):%Y-%m-%d}, seed {SEED}. Real dnsmasq and udhcpc in network\n"
        "namespaces. A run is right when the layers unicast and passive, and renew in every fourth run,\n"
        "say of both networks what is true and what the guests saw.\n\n"
        f"| fault | right |\n|---|---|\n{''.join(line(row.name) for row in ROWS)}\n"
        f"| healthy setup | quiet |\n|---|---|\n{''.join(line(row.name) for row in HEALTHY)}\n"
        f"Guests that renewed by themselves, watched: {', '.join(lived) or 'not yet'}.\n\n"
        "The socket layer in its own rows and healthy setups (tests/live/test_dhcp_sockets.py): "
        f"{f'right in {RUNS} of {RUNS} each' if 'socket layer' in passed else 'not yet'}.\n\n"
        f"Probes killed at a random moment and nothing left: {killed} of {KILLS}.\n\n"
        f"Parser: {state.get('packets', 'not yet')}.\n\n## What went wrong on the way\n\n{failed}"
    )


def main() -> None:
    """Go on where the last run was cut."""
    state = PROGRESS.read({"passed": [], "failed": []})
    if "packets" not in state:
        state["packets"] = soak()
        PROGRESS.keep(state)
    with ProcessPoolExecutor(WORKERS) as pool:
        begun = {pool.submit(attempt, *each): each[0] for each in tasks(state)}
        for done in as_completed(begun):
            if wrong := done.result():
                state["failed"] += wrong
                print("\n".join(wrong), flush=True)
            else:
                state["passed"].append(begun[done])
            PROGRESS.keep(state)
            RESULT.write_text(page(state))
    reap()
    print(page(state))


if __name__ == "__main__":
    main()
