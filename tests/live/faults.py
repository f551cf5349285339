"""Daemons that stop, die, restart and hang at random under an agent, while guests come and go."""

from __future__ import annotations

import json
import threading
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.lab import ProgramError, soon
from tests.live import agent, look

if TYPE_CHECKING:
    from random import Random

    from tests.lab import Node

STEADY, COMING = 3, 2
UNITS = {
    "libvirtd": "libvirtd.service",
    "ovsdb-server": "ovsdb-server.service",
    "ovs-vswitchd": "ovs-vswitchd.service",
    "hostagent": "hostagent.service",
}
KINDS = ("stop", "kill", "restart", "hang")
SETTLE_SECONDS = 40.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """What the agent's process takes."""

    resident_bytes: int
    threads: int
    descriptors: int


class Faults:
    """One node with guests that must live through it, and others that start and stop all the time."""

    def __init__(self, node: Node, rng: Random) -> None:
        self.node, self._rng = node, rng
        self.struck: Counter[str] = Counter()
        self.starts = self.stops = 0
        self._quiet = threading.Event()
        for number in range(STEADY):
            mac = f"52:54:00:00:fa:0{number}"
            node.guest(f"s{number}", bridge="br-int", vlan=30 + number, mac=mac, bandwidth=300 + number)
            node.start(f"s{number}")
        for number in range(COMING):
            node.guest(f"c{number}", bridge="br-int", vlan=40, mac=f"52:54:00:00:fb:0{number}")
        # Units are read every third interval: in its 20 s the agent must have read them anew.
        limits = {"max_per_hour": 100_000, "pulse_seconds": 1.0, "interval_seconds": 5.0}
        agent.configure(node, agent.settings(0.5, agent=limits))
        agent.until("all is well", lambda: look.alarms(node) == set(), seconds=30)
        self._lives, self._rows = self._processes(), self._steady_rows()

    def run(self, count: int) -> None:
        """So many faults, one after another, while guests start and stop; then all must be well."""
        self._quiet.clear()
        churn = threading.Thread(target=self._churn)
        churn.start()
        try:
            for _ in range(count):
                self._strike()
        finally:
            self._quiet.set()
            churn.join()
        self.settled()

    def settled(self) -> None:
        """Nothing live was lost, and the agent has put right what was wrong."""
        for unit in UNITS.values():
            self.node.run("systemctl", "reset-failed", unit, check=False)
            self.node.run("systemctl", "start", unit, timeout=90)
        agent.until("all is well again", lambda: look.alarms(self.node) == set(), seconds=SETTLE_SECONDS)
        if not soon(30, lambda: agent.problems(self.node) == []):
            raise AssertionError(f"check --live is at exit 0, the agent says {agent.problems(self.node)}")
        assert self._processes() == self._lives, "every steady guest is the process that it was"
        assert self._steady_rows() == self._rows, "every steady guest has the port that it had"

    def size(self) -> Size:
        """The agent's size now."""
        cost = agent.published(self.node)["cost"]
        return Size(**{name: cost[name] for name in Size.__slots__})

    def _strike(self) -> None:
        daemon, kind = self._rng.choice(sorted(UNITS)), self._rng.choice(KINDS)
        unit = UNITS[daemon]
        self.struck[f"{daemon} {kind}"] += 1
        if kind == "hang":
            pid = self._pid(unit)
            seconds = f"{self._rng.uniform(0.2, 1.5):.2f}"
            self.node.run("sh", "-c", f"kill -STOP {pid} && sleep {seconds}; kill -CONT {pid}", check=False)
            return
        if kind == "kill":
            self.node.run("kill", "-KILL", self._pid(unit), check=False)
        self.node.run("systemctl", "reset-failed", unit, check=False)
        self.node.run("systemctl", kind if kind == "stop" else "restart", unit, check=False, timeout=90)
        if kind == "stop":
            self.node.run("sh", "-c", f"sleep {self._rng.uniform(0.0, 1.0):.2f}")
            for each in UNITS.values():  # stopping ovs-vswitchd takes ovsdb-server along
                self.node.run("systemctl", "start", each, check=False, timeout=90)

    def _pid(self, unit: str) -> str:
        """The daemon's process, which is started first if it is not there: 0 would be our own group."""
        argv = ("systemctl", "show", "--property=MainPID", "--value", unit)
        if self.node.out(*argv) == "0":
            self.node.run("systemctl", "reset-failed", unit, check=False)
            self.node.run("systemctl", "start", unit, timeout=90)
        pid = self.node.out(*argv)
        assert pid != "0", f"{unit} does not run"
        return pid

    def _churn(self) -> None:
        rng_turn = 0
        while not self._quiet.is_set():
            name = f"c{rng_turn % COMING}"
            rng_turn += 1
            for word in ("start", "destroy"):
                try:
                    done = self.node.run("timeout", "12", "virsh", "-q", word, name, check=False, timeout=20)
                except ProgramError:
                    continue
                if done.returncode == 0:
                    self.starts += word == "start"
                    self.stops += word == "destroy"
                self._quiet.wait(0.2)
        for number in range(COMING):
            agent.until(f"c{number} is off", lambda n=number: self._is_off(f"c{n}"), seconds=30)  # type: ignore[misc]

    def _is_off(self, name: str) -> bool:
        self.node.run("timeout", "8", "virsh", "-q", "destroy", name, check=False)
        return self.node.out("timeout", "8", "virsh", "domstate", name) == "shut off"

    def _processes(self) -> dict[str, str]:
        return {
            f"s{number}": self.node.read(f"/run/libvirt/qemu/s{number}.pid").strip()
            for number in range(STEADY)
        }

    def _steady_rows(self) -> list[str]:
        rows = look.rows(self.node)
        names = [f"vnet{number}" for number in range(STEADY)]
        return [
            row for table in ("Port", "Interface") for row in rows[table] if json.loads(row)["name"] in names
        ]
