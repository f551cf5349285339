"""What tests see of boots: from outside by libvirt's events, and what the agent tells and keeps."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.live import agent

if TYPE_CHECKING:
    from tests.lab import Node

_LOG = "/var/log/lab-events"
_UNIT = f"""[Unit]
After=libvirtd.service
Before=hostagent.service
[Service]
ExecStart=/usr/bin/python3 /root/events.py
StandardOutput=append:{_LOG}
Restart=always
RestartSec=0.2
[Install]
WantedBy=multi-user.target
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One of libvirt's lifecycle events; ``at`` is seconds since the epoch."""

    at: float
    name: str
    what: str
    detail: str


def watch(node: Node) -> None:
    """Have the node write down its events from now on, after boots too."""
    node.put(Path(__file__).with_name("storm_events.py"), "/root/events.py")
    node.write("/etc/systemd/system/lab-events.service", _UNIT)
    node.run("systemctl", "-q", "enable", "--now", "lab-events.service")
    agent.until("events are watched", lambda: "watching" in node.read(_LOG), seconds=20)


def events(node: Node, *, since: float = 0.0) -> list[Event]:
    """All events since then; also "watching" of each new connection, with the name "-"."""
    found = []
    for line in node.read(_LOG).splitlines():
        at, name, what, detail = line.split()
        if float(at) >= since:
            found.append(Event(at=float(at), name=name, what=what, detail=detail))
    return found


def now(node: Node) -> float:
    """The node's clock, as events have it."""
    return float(node.out("date", "+%s.%N"))


def told(node: Node) -> dict[str, Any]:
    """What the agent tells of boots."""
    boots: dict[str, Any] = agent.published(node)["boots"]
    return boots


def boot_of(node: Node, name: str) -> dict[str, Any]:
    """What the agent tells of one guest; {} if nothing."""
    return next((each for each in told(node)["guests"] if each["name"] == name), {})


def state(node: Node, name: str) -> str:
    """A boot's state in the agent's word; "" if it tells nothing of the guest."""
    return str(boot_of(node, name).get("state", ""))


def in_flight(node: Node) -> int:
    """How many boots the agent counts now."""
    return sum(each["booting"] for each in told(node)["pools"])


def held_list(node: Node) -> dict[str, dict[str, Any]]:
    """What is on the agent's held list on disk, by name."""
    done = node.run("cat", "/var/lib/hostagent/held.json", check=False)
    guests = json.loads(done.stdout)["guests"] if done.returncode == 0 else []
    return {each["name"]: each for each in guests}


def domstate(node: Node, name: str) -> str:
    """The state in libvirt's word."""
    return node.out("virsh", "domstate", name)


def reads(node: Node, name: str) -> int:
    """How many reads a guest's disk has served since its start."""
    words = node.out("virsh", "domblkstat", name, "vda").split()
    return int(words[words.index("rd_req") + 1])


def fixed(limit: int, **more: Any) -> dict[str, Any]:
    """Settings of [boot] with a limit that stays, and short times."""
    return {
        "first_limit": limit,
        "least_limit": limit,
        "most_limit": limit,
        "sample_seconds": 1.0,
        "spacing_seconds": 0.1,
        "quiet_after_seconds": 1.0,
        "quiet_samples": 2,
        "agent_seconds": 1.0,
        "timeout_seconds": 600.0,
        "dependency_seconds": 3.0,
        **more,
    }
