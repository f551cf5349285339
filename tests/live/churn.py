"""Guests that start, stop and are defined anew at random while check and fix run in a loop."""

from __future__ import annotations

import json
import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from random import Random
    from subprocess import CompletedProcess

    from tests.lab import Node

GUESTS = 4
_STATES = ("done ", "dropped ", "failed ", "restored ")


def only_dropped(done: CompletedProcess[str]) -> bool:
    """Whether fix left steps alone because their guest is just starting or moving: the next fix does them."""
    steps = {line.split()[0] for line in done.stdout.splitlines() if line.startswith(_STATES)}
    return done.returncode in {11, 12} and "dropped" in steps and steps <= {"done", "dropped"}


class Churn:
    """Counts what happened and lists what should not have: ``faults``."""

    def __init__(self, node: Node, rng: Random) -> None:
        self.node, self._rng = node, rng
        self.starts = self.stops = self.looks = 0
        self.faults: list[str] = []
        self._ends = 0.0
        for number in range(GUESTS):
            self._define(number)
            node.start(f"c{number}")

    def _define(self, number: int) -> None:
        tap = f"tapc{number}" if number % 2 else None
        vlan = self._rng.choice([10, 20])
        mac = f"52:54:00:00:cc:0{number}"
        self.node.guest(f"c{number}", bridge="br-int", vlan=vlan, mac=mac, bandwidth=300, tap=tap)

    def run(self, seconds: float) -> None:
        """Churn for so long, then stop in an orderly state."""
        self._ends = time.monotonic() + seconds
        looker = threading.Thread(target=self._look)
        looker.start()
        try:
            while time.monotonic() < self._ends:
                self._turn()
        finally:
            looker.join()

    def changed(self) -> set[str]:
        """What kinds of steps fix has taken."""
        runs = json.loads(self.node.run("hostagent", "history", "--json").stdout)["runs"]
        return {action["kind"] for each in runs for action in each["actions"]}

    def _turn(self) -> None:
        number = self._rng.randrange(GUESTS)
        name = f"c{number}"
        self.node.run("virsh", "destroy", name)
        self.stops += 1
        if self._rng.random() < 0.3:
            self.node.run("virsh", "undefine", name)
            self._define(number)
        time.sleep(self._rng.uniform(0.0, 0.3))
        self.node.start(name)
        self.starts += 1

    def _look(self) -> None:
        while time.monotonic() < self._ends:
            done = self.node.run("hostagent", "check", "--live", "--format", "json", check=False)
            self.looks += 1
            for each in json.loads(done.stdout)["checks"]:
                if each["state"] in {"crit", "unknown"}:
                    self.faults.append(f"{each['code']} {each['state']}: {each['summary']} {each['objects']}")
            done = self.node.run("hostagent", "fix", "--apply", check=False)
            if done.returncode != 0 and not only_dropped(done):
                self.faults.append(f"fix exits {done.returncode}: {done.stdout}{done.stderr}")
