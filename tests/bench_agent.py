"""The agent's part of `make bench`: from event to verified repair, and what the agent costs at 200 domains.

The domains are paused and small; beside the agent runs Debian's prometheus-libvirt-exporter, the neighbour
that serves the same domains to Prometheus.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from tests import lab
from tests.live import agent

if TYPE_CHECKING:
    from tests.lab import Node

EACH, GRACE = 50, 0.5
DOMAINS, IDLE_SECONDS, SCRAPES = 200, 120.0, 50
# One turn: break it, then wait for the journal's next finished run; prints seconds from before the command.
_TURN = """
import json, os, subprocess, sys, time
journal = "/var/lib/hostagent/journal"
commands, each, grace = json.loads(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
def ended(known):
    for name in set(os.listdir(journal)) - known:
        with open(f"{journal}/{name}") as file:
            if '"record":"done"' in file.read():
                return name
found = {what: [] for what in commands}
for turn in range(each):
    for what, command in commands.items():
        time.sleep(0.3)
        known = set(os.listdir(journal))
        begun = time.monotonic()
        subprocess.run(["sh", "-ec", command], check=True, stdout=subprocess.DEVNULL)
        while not ended(known):
            if time.monotonic() > begun + 20:
                sys.exit(f"{what}: not repaired")
            time.sleep(0.002)
        found[what].append(time.monotonic() - begun - grace)
print(json.dumps(found))
"""


def latency() -> list[str]:
    """p50 and p99 of what the repair takes beyond its grace, the command that breaks it included."""
    node = lab.up("bench-agent", agent=True, owner=os.getpid())
    try:
        for number in range(8):
            node.guest(f"g{number}", bridge="br-int", vlan=40, mac=f"52:54:00:00:be:0{number}")
            node.start(f"g{number}")
        agent.configure(node, agent.settings(GRACE, agent={"max_per_hour": 10_000}))
        tap = node.tap("g0")
        commands = {what: text.format(tap=tap, gone=agent.GONE) for what, (_, text) in agent.INJECTED.items()}
        argv = ("python3", "-c", _TURN, json.dumps(commands), str(EACH), str(GRACE))
        found: dict[str, list[float]] = json.loads(node.run(*argv, timeout=1200).stdout)
    finally:
        node.down()
    every = [seconds for each in found.values() for seconds in each]
    return [_line(what, figures) for what, figures in [*found.items(), ("all of them", every)]]


def _line(what: str, figures: list[float]) -> str:
    p99 = statistics.quantiles(figures, n=100)[98]
    half = statistics.median(figures)
    return f"{what:<16} {len(figures):>4} times: p50 {half * 1000:4.0f} ms, p99 {p99 * 1000:4.0f} ms"


def cost() -> list[str]:
    """Resident size, CPU when idle, and scrapes with many domains, beside the exporter of libvirt."""
    node = lab.up("bench-cost", agent=True, owner=os.getpid())
    try:
        start_paused(node)
        agent.configure(node, agent.settings(2.0))
        agent.until("it looked", lambda: agent.published(node)["cost"]["looks"] >= 1, seconds=30)
        neighbour(node)
        time.sleep(10.0)
        before = agent.published(node)["cost"]
        time.sleep(IDLE_SECONDS)
        after = agent.published(node)["cost"]
        share = (after["cpu_seconds"] - before["cpu_seconds"]) / IDLE_SECONDS
        size = f"{after['resident_bytes'] / 1e6:.0f} MB (target 80)"
        idle = f"{share:.2%} of a core idle over {IDLE_SECONDS:g} s (target 0.5 %)"
        last = f"{after['look_seconds_last'] * 1000:.0f} ms the last look"
        return [
            f"agent, {DOMAINS} paused domains: {size}, {idle}, {last}",
            _scrapes(node, "hostagent-exporter", 9478),
            _scrapes(node, "prometheus-libvirt-exporter", 9177),
        ]
    finally:
        node.down()


def start_paused(node: Node) -> None:
    """Many small domains, started paused by four clients."""

    def one(number: int) -> None:
        node.guest(f"d{number}", bridge="br-int", vlan=40, memory=8)
        node.run("virsh", "-q", "start", "--paused", f"d{number}", timeout=120)

    with ThreadPoolExecutor(4) as clients:
        list(clients.map(one, range(DOMAINS)))


def neighbour(node: Node) -> None:
    """Debian's exporter of libvirt, downloaded for this."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        argv = ["apt-get", "-o", "APT::Sandbox::User=root", "-qq", "download", "prometheus-libvirt-exporter"]
        subprocess.run(argv, cwd=folder, check=True)
        node.put(next(Path(folder).glob("*.deb")), "/root/neighbour.deb")
    node.run("dpkg", "--install", "--force-depends", "/root/neighbour.deb", timeout=120)
    node.run("systemctl", "start", "prometheus-libvirt-exporter.service")


_SCRAPES = """
import statistics, sys, time, urllib.request
figures = []
for _ in range(int(sys.argv[2])):
    begun = time.perf_counter()
    urllib.request.urlopen(f"http://127.0.0.1:{sys.argv[1]}/metrics", timeout=30).read()
    figures.append(time.perf_counter() - begun)
print(statistics.median(figures))
"""


def _scrapes(node: Node, name: str, port: int) -> str:
    took = float(node.run("python3", "-c", _SCRAPES, str(port), str(SCRAPES), timeout=300).stdout)
    pid = node.out("systemctl", "show", "--property=MainPID", "--value", f"{name}.service")
    resident = int(node.read(f"/proc/{pid}/statm").split()[1]) * 4096
    return f"{name}: scrape {took * 1000:.1f} ms median, {resident / 1e6:.0f} MB"


if __name__ == "__main__":
    for part in (latency, cost):
        print("\n".join(part()), flush=True)
