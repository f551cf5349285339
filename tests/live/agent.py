"""What the live tests ask of a node's agent, and the drift that they inject under it."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

from hostagent import config
from tests.lab import ProgramError, soon

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.lab import Node

CONFIG = "/etc/hostagent/hostagent.toml"
GONE = "00000000-0000-4000-8000-0000000000aa"
# Each takes a running guest's tap; a QoS without a port is libvirt's, of a guest that is gone.
INJECTED = {
    "tap recreated": (
        "OVS_PORT_DEAD_RX",
        "ip link del {tap}; ip tuntap add dev {tap} mode tap; ip link set {tap} up",
    ),
    "tag changed": ("OVS_PORT_INHERITED", "ovs-vsctl --no-wait set Port {tap} tag=999"),
    "port deleted": ("OVS_PORT_MISSING", "ovs-vsctl --no-wait del-port {tap}"),
    "port moved": (
        "OVS_PORT_WRONG_BRIDGE",
        """port=$(ovs-vsctl get Port {tap} _uuid)
        ovs-vsctl --no-wait remove Bridge br-int ports $port -- add Bridge br-ext ports $port""",
    ),
    "QoS orphaned": (
        "OVS_QOS_ORPHAN",
        """ids="external_ids:vm-id={gone} external_ids:ifname=vnet900"
        ovs-vsctl --no-wait -- --id=@q create Queue $ids -- create QoS type=linux-htb queues:0=@q $ids""",
    ),
}


def settings(grace_seconds: float, **tables: dict[str, Any]) -> str:
    """A settings file with one grace for all codes, and other tables' keys."""
    text = f"[looks]\ngrace_seconds = {grace_seconds}\n"
    for name in (name for name in config.tables() if name.startswith("policy.")):
        keys = {"grace_seconds": grace_seconds, **tables.get("policy", {})}
        text += f"[{name}]\n" + "".join(f"{key} = {json.dumps(value)}\n" for key, value in keys.items())
    for name, keys in tables.items():
        if name != "policy":
            text += f"[{name}]\n" + "".join(f"{key} = {json.dumps(value)}\n" for key, value in keys.items())
    return text


def configure(node: Node, text: str) -> None:
    """Other settings from now on, by a restart of the agent."""
    node.write(CONFIG, text)
    node.run("systemctl", "restart", "hostagent.service")


def inject(node: Node, what: str, tap: str) -> str:
    """Break something under a running guest; the code that names it."""
    code, command = INJECTED[what]
    node.run("sh", "-ec", command.format(tap=tap, gone=GONE))
    return code


def published(node: Node) -> dict[str, Any]:
    """What the agent tells now."""
    text = node.read("/run/hostagent/published.json")
    told: dict[str, Any] = json.loads(text)
    return told


def state(node: Node, code: str) -> str:
    """The agent's verdict on one check."""
    checks = {each["code"]: each for each in published(node)["report"]["checks"]}
    return str(checks[code]["state"])


def problems(node: Node) -> list[str]:
    """What the agent's report has that is neither ok nor skipped; also that there is none yet."""
    try:
        checks = published(node)["report"]["checks"]
    except (ProgramError, ValueError) as error:
        return [str(error)]
    return [f"{each['code']}: {each['summary']}" for each in checks if each["state"] not in {"ok", "skip"}]


def done(node: Node, code: str) -> int:
    """How many repairs of a code the agent has carried out and verified since its start."""
    found = [each for each in published(node)["repairs"] if (each["code"], each["result"]) == (code, "done")]
    return int(found[0]["count"]) if found else 0


def until(what: str, holds: Callable[[], bool], *, seconds: float) -> float:
    """Wait until ``holds``; how long it took."""
    began = time.monotonic()

    def answered() -> bool:
        try:
            return holds()
        except ProgramError:  # while the agent restarts there is nothing to be read
            return False

    assert soon(seconds, answered), what
    return time.monotonic() - began


def log(node: Node) -> str:
    """The agent's log of this boot."""
    return node.run("journalctl", "-b", "-u", "hostagent.service", "-o", "cat", "--no-pager").stdout


_SCRAPE = """
import time, urllib.request
begun = time.perf_counter()
body = urllib.request.urlopen("http://127.0.0.1:9478/metrics", timeout=10).read().decode()
print(time.perf_counter() - begun)
print(body)
"""


def scrape(node: Node) -> tuple[float, dict[str, float]]:
    """One scrape of the exporter: the seconds that it took inside the node, and the series."""
    took, *lines = node.run("python3", "-c", _SCRAPE).stdout.splitlines()
    series = (line.rpartition(" ") for line in lines if line and not line.startswith("#"))
    return float(took), {name: float(value) for name, _, value in series}
