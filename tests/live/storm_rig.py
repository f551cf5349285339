"""The boot storm's rig: a node, a slow disk in it, guests that boot from it, and four ways to start them."""

from __future__ import annotations

import json
import statistics
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

from hostagent.config import Pacing
from tests.live import agent, storm_watch
from tests.live import storm_guests as guests

if TYPE_CHECKING:
    from tests.lab import Node
    from tests.lab.slow_disk import SlowDisk

TARGET_SECONDS = 0.02
SPINDLES, SERVICE_SECONDS = 2, 0.008  # 250 requests a second, as long as there are two at a time
DEPTH, KIB = 2, 32
DELAY_SECONDS = 5.0
CLIENTS = 4
WATCHERS = ("before1", "before2")
WATCH_MILLISECONDS = 150
# Guests here boot in minutes where a storm takes tens of them: the times of [boot] are a third of theirs.
SCALE = 3
_DEFAULT = Pacing()
_TIMES = (
    "sample_seconds average_seconds spacing_seconds cut_seconds sink_seconds grow_seconds grow_near_seconds "
    "agent_seconds quiet_after_seconds timeout_seconds aging_seconds dependency_seconds typical_seconds"
).split()
BOOT: dict[str, Any] = {
    **{name: round(getattr(_DEFAULT, name) / SCALE, 3) for name in _TIMES},
    "sample_requests": _DEFAULT.sample_requests // SCALE,  # of a sample that much shorter
    "target_other_seconds": TARGET_SECONDS,
    "target_ssd_seconds": TARGET_SECONDS,
    "target_nvme_seconds": TARGET_SECONDS,
    "target_spinning_seconds": TARGET_SECONDS,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How large a storm is: so many guests, each reading between these."""

    guests: int
    least_mib: int
    most_mib: int

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(f"s{number:02}" for number in range(self.guests))

    @property
    def reads(self) -> dict[str, int]:
        """How much each reads, in MiB: all between the bounds, in no order. Equals would end in step."""
        sizes = [
            self.least_mib + number * (self.most_mib - self.least_mib) // (self.guests - 1)
            for number in range(self.guests)
        ]
        return dict(zip(self.names, Random(8).sample(sizes, len(sizes)), strict=True))


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """How guests are started. ``boot`` are the agent's settings, or None: it paces nothing."""

    name: str
    clients: int = CLIENTS
    delay: float | None = None
    limit: int | None = None
    boot: dict[str, Any] | None = None


POLICIES = (
    Policy(name="unthrottled"),
    Policy(name=f"libvirt-guests, {DELAY_SECONDS:g} s", clients=1, delay=DELAY_SECONDS),
    Policy(name="fixed limit of 4", limit=4),
    Policy(name="hostagent", boot={"first_limit": 2}),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One storm, in seconds. ``left`` are guests that were not settled at the deadline."""

    policy: str
    median: float
    p95: float
    makespan: float
    bystanders_p99: float
    bystanders_median: float
    list_p99: float
    list_most: float
    left: tuple[str, ...]
    errors: dict[str, str]

    def row(self) -> str:
        """As a line of a table."""
        return (
            f"| {self.policy} | {self.median:.1f} | {self.p95:.1f} | {self.makespan:.1f} "
            f"| {self.bystanders_median * 1000:.0f} | {self.bystanders_p99 * 1000:.0f} "
            f"| {self.list_p99 * 1000:.0f} | {self.list_most * 1000:.0f} |"
        )


HEAD = (
    "| policy | settled, median (s) | p95 (s) | makespan (s) | running guests' reads, median (ms) | p99 (ms) "
    "| virsh list p99 (ms) | most (ms) |\n|---|---|---|---|---|---|---|---|"
)


def share(values: list[float], part: float) -> float:
    """The value that so large a part of all does not exceed."""
    return sorted(values)[min(len(values) - 1, int(len(values) * part))]


class Rig:
    """A node with the disk mounted in it, all guests defined, and the two that run before."""

    def __init__(self, node: Node, disk: SlowDisk, size: Size) -> None:
        self.node, self.disk, self.size = node, disk, size
        node.put(Path(__file__).with_name("storm_judge.py"), "/root/judge.py")
        mount(node, disk)
        guests.images(node, *size.names, *WATCHERS, mib=size.least_mib)
        for name, mib in size.reads.items():
            guests.define(node, name, words=f"lab.read={mib},{KIB},{DEPTH}")
        # They read a little at first, as guests do: what they read later is quiet beside that.
        guests.define(node, *WATCHERS, words=f"lab.read=64,{KIB},{DEPTH} lab.watch={WATCH_MILLISECONDS}")

    def settle(self, policy: Policy) -> None:
        """The agent as the policy wants it, the two guests running, the others off."""
        guests.destroy(self.node, *self.size.names, *WATCHERS)
        self.disk.pace()
        boot = {"enabled": False} if policy.boot is None else {**BOOT, **policy.boot}
        self.node.run("systemctl", "stop", "hostagent.service")
        self.node.run("rm", "-f", "/run/hostagent/boots.json")  # the limit as the storm before left it
        agent.configure(self.node, agent.settings(60.0, boot=boot))
        agent.until("it tells", lambda: storm_watch.told(self.node)["at"] > 0, seconds=60)
        self.node.start(*WATCHERS)
        agent.until("two run", lambda: guests.ready(self.node, *WATCHERS) == set(WATCHERS), seconds=60)
        if policy.boot is not None:
            agent.until("they have settled", lambda: not storm_watch.told(self.node)["guests"], seconds=60)
        self.disk.pace(SPINDLES, SERVICE_SECONDS)

    def storm(self, policy: Policy, *, deadline: float) -> dict[str, Any]:
        """All guests started as the policy says; what the judge saw."""
        asked = {
            "guests": self.size.names,
            "watchers": WATCHERS,
            "clients": policy.clients,
            "delay": policy.delay,
            "limit": policy.limit,
            "deadline": deadline,
        }
        done = self.node.run(
            "python3", "/root/judge.py", input=json.dumps(asked), timeout=deadline + 60
        ).stdout
        told: dict[str, Any] = json.loads(done)
        return told

    def measure(self, policy: Policy, *, deadline: float) -> Result:
        """A storm's figures."""
        self.settle(policy)
        told = self.storm(policy, deadline=deadline)
        settled = sorted(told["ready"].values()) or [deadline]
        return Result(
            policy=policy.name,
            median=statistics.median(settled),
            p95=share(settled, 0.95),
            makespan=settled[-1],
            bystanders_p99=share(told["latencies"], 0.99),
            bystanders_median=statistics.median(told["latencies"]),
            list_p99=share(told["lists"], 0.99),
            list_most=max(told["lists"]),
            left=tuple(sorted(set(self.size.names) - set(told["ready"]))),
            errors=told["errors"],
        )


def mount(node: Node, disk: SlowDisk) -> None:
    """Make the device known in the node and mount it, for this boot of the node."""
    device, place = f"/dev/{disk.device.name}", guests.PLACE
    make = f"[ -b {device} ] || mknod {device} b {disk.number}"
    node.run("sh", "-ec", f"{make}; mkdir -p {place}; mount {device} {place}")


def left_behind(node: Node) -> set[str]:
    """Guests that are suspended, or on the agent's held list."""
    return guests.paused(node) | set(storm_watch.held_list(node))
