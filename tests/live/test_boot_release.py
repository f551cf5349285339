"""Held guests when the agent ends: released slowly unless it comes back, and never what a person paused.

A stand-in is the agent here, in the agent's own unit.
"""

from __future__ import annotations

import json
import re
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.live import agent

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.lab import Node

pytestmark = pytest.mark.lab

HERE = Path(__file__).parent
RELEASE = "/usr/libexec/hostagent/hostagent-release"
HELD = "/var/lib/hostagent/held.json"
GRACE, PACE = 30.0, 5.0
GUESTS = ("g1", "g2", "g3", "p1", "s1", "a1", "a2")
DROPIN = "/etc/systemd/system/hostagent.service.d/standin.conf"


@pytest.fixture(scope="module")
def node(make_node: Callable[..., Node]) -> Node:
    made = make_node("brel", agent=True)
    for name in GUESTS:
        # g3 is to use up its vCPU, which an iPXE guest does not.
        made.guest(name, bridge="br-int", disk=8, kind="linux" if name == "g3" else "ipxe")
    made.put(HERE / "boot_hold.py", "/root/hold.py")
    made.put(HERE / "boot_standin.py", "/usr/local/libexec/standin", mode="755")
    made.write(DROPIN, "[Service]\nWatchdogSec=0\nExecStart=\nExecStart=/usr/local/libexec/standin\n")
    made.run("systemctl", "daemon-reload")
    return made


@pytest.fixture(autouse=True)
def paced(node: Node) -> Node:
    """The agent paces, three guests have just begun to boot, and nobody is held."""
    node.run("systemctl", "stop", "hostagent.service", "hostagent-release.service")
    node.run("rm", "-f", HELD, "/etc/standin-fails", "/etc/hostagent/stop")
    node.run("sh", "-c", "for each in $(virsh -q list --name); do virsh -q destroy $each; done")
    node.run("systemctl", "reset-failed", "hostagent.service", "hostagent-release.service", check=False)
    node.run("systemctl", "start", "hostagent.service")
    agent.until("nothing is released", lambda: ended(node), seconds=60)
    node.start("g1", "g2", "g3")
    return node


def hold(node: Node, *words: str, boot: str = "this") -> None:
    """Hold guests as the agent does.

    A service with ProtectKernelTunables sees the machine's boot id, which outlasts a node's reboot; all else
    in a node sees its own. So whoever holds without that holds in another boot of the node.
    """
    service = ("systemd-run", "-q", "--pipe", "--wait", "-p", "ProtectKernelTunables=yes")
    node.run(*(service if boot == "this" else ()), "python3", "/root/hold.py", *words)


def state(node: Node, name: str) -> str:
    return node.out("virsh", "domstate", name)


def ended(node: Node) -> bool:
    shown = node.out("systemctl", "show", "-p", "ActiveState", "--value", "hostagent-release.service")
    return shown in {"inactive", "failed"}


def since(node: Node) -> str:
    """The journal's end."""
    node.run("journalctl", "--sync")
    shown = node.out("journalctl", "-n0", "--show-cursor", "-q")
    return shown.rpartition("cursor: ")[2]


def log(node: Node, cursor: str) -> list[tuple[float, str]]:
    """What the releaser and systemd said of it since then: monotonic seconds and words."""
    node.run("journalctl", "--sync")
    argv = ("journalctl", "-u", "hostagent-release.service", "--after-cursor", cursor, "-o", "json")
    lines = [json.loads(line) for line in node.out(*argv, "--no-pager").splitlines()]
    return [(int(each["__MONOTONIC_TIMESTAMP"]) / 1e6, each["MESSAGE"]) for each in lines]


def at(lines: list[tuple[float, str]], pattern: str) -> list[float]:
    return [when for when, words in lines if re.search(pattern, words)]


def kept(node: Node) -> list[str]:
    """Whom the held list names."""
    return [each["name"] for each in json.loads(node.read(HELD))["guests"]]


def until_running(node: Node, *names: str, seconds: float = 240) -> None:
    agent.until(f"{names} run", lambda: {state(node, name) for name in names} == {"running"}, seconds=seconds)


def test_after_a_stop_they_go_on_one_by_one(paced: Node) -> None:
    """Whom a person paused, before or again, stays paused; limits go; a killed releaser goes on."""
    paced.start("p1", "s1")
    paced.run("virsh", "suspend", "p1")
    hold(paced, "hold", "g1", "g2", "g3")
    hold(paced, "slow", "50", "s1")
    before = vcpu_seconds(paced, "g3")
    paced.run("virsh", "resume", "g3")
    agent.until("it ran", lambda: vcpu_seconds(paced, "g3") > before + 1.5, seconds=60)
    paced.run("virsh", "suspend", "g3")
    cursor = since(paced)
    paced.run("systemctl", "stop", "hostagent.service")
    agent.until("one is resumed", lambda: bool(at(log(paced, cursor), "^resumed")), seconds=120)
    paced.run("systemctl", "kill", "-s", "KILL", "hostagent-release.service")
    until_running(paced, "g1", "g2")
    agent.until("it has ended", lambda: ended(paced), seconds=60)
    lines = log(paced, cursor)
    began, resumed = at(lines, "^Started")[0], at(lines, r"^resumed g[12] after \d+ s: held: 3 boots running")
    assert len(resumed) == 2
    assert resumed[0] - began >= GRACE - 1
    assert resumed[1] - resumed[0] >= PACE - 0.5
    assert at(lines, "^s1 has its disks back")
    assert "total_iops_sec : 0" in paced.out("virsh", "blkdeviotune", "s1", "vda")
    assert at(lines, "^forgot g3: it ran since it was held")
    assert {state(paced, name) for name in ("g3", "p1")} == {"paused"}
    assert kept(paced) == []


def vcpu_seconds(node: Node, name: str) -> float:
    return int(node.out("virsh", "domstats", "--vcpu", name).rpartition("vcpu.0.time=")[2].split()[0]) / 1e9


def test_an_agent_that_is_back_in_time_keeps_them(paced: Node) -> None:
    hold(paced, "hold", "g1", "g2")
    cursor = since(paced)
    paced.run("systemctl", "stop", "hostagent.service")
    agent.until("the releaser waits", lambda: "the agent has 30 s" in status(paced), seconds=20)
    paced.run("systemctl", "start", "hostagent.service")
    agent.until("it has ended", lambda: ended(paced), seconds=30)
    lines = log(paced, cursor)
    assert at(lines, "the agent is back")
    assert at(lines, "^resumed") == []
    assert {state(paced, name) for name in ("g1", "g2")} == {"paused"}
    assert sorted(kept(paced)) == ["g1", "g2"]


def status(node: Node) -> str:
    return node.out("systemctl", "show", "-p", "StatusText", "--value", "hostagent-release.service")


def test_with_wrong_settings_they_are_released(paced: Node) -> None:
    """The releaser can't read them either; the stop file holds it as long as it is there."""
    hold(paced, "hold", "g1")
    paced.write("/etc/standin-fails", "78")
    paced.write("/etc/hostagent/stop", "")
    before = paced.read(agent.CONFIG)
    paced.write(agent.CONFIG, "[boot]\nenabled = 3\n")
    cursor = since(paced)
    try:
        assert paced.run("systemctl", "restart", "hostagent.service", check=False).returncode != 0
        agent.until("it is halted", lambda: "/etc/hostagent/stop exists" in status(paced), seconds=30)
        time.sleep(GRACE)
        assert state(paced, "g1") == "paused"
        paced.run("rm", "/etc/hostagent/stop")
        until_running(paced, "g1")
        agent.until("it has ended", lambda: ended(paced), seconds=30)
    finally:
        paced.write(agent.CONFIG, before)
    lines = log(paced, cursor)
    assert at(lines, "boot.enabled: must be true or false")
    assert at(lines, "the agent stays down: its settings are wrong")
    assert paced.out("systemctl", "show", "-p", "Result", "--value", "hostagent.service") == "exit-code"


def test_after_a_crash_loop_the_agent_is_tried_anew(paced: Node) -> None:
    hold(paced, "hold", "g1")
    cursor = since(paced)
    paced.write("/etc/standin-fails", "1")
    paced.run("systemctl", "kill", "-s", "KILL", "hostagent.service")
    until_running(paced, "g1")
    paced.run("rm", "/etc/standin-fails")
    agent.until(
        "the agent works",
        lambda: paced.run("systemctl", "is-active", "hostagent.service", check=False).stdout == "active\n",
        seconds=240,
    )
    assert at(log(paced, cursor), "^resumed g1")


@pytest.mark.parametrize(
    ("shutdown", "boot"), [("shutdown", "ignore"), ("suspend", "start"), ("suspend", "ignore")]
)
def test_a_reboot_releases_nobody_and_leaves_nobody_paused(paced: Node, shutdown: str, boot: str) -> None:
    """And after it nobody paces: the settings are wrong. Adopted guests start all the same, in order."""
    settings = f"ON_SHUTDOWN={shutdown}\nON_BOOT={boot}\nSHUTDOWN_TIMEOUT=5\nPARALLEL_SHUTDOWN=9\n"
    paced.write("/etc/default/libvirt-guests", settings)
    hold(paced, "hold", "g1", "g2", boot="another")
    hold(paced, "adopt", "1", "a1")
    hold(paced, "adopt", "2", "a2")
    paced.write("/etc/standin-fails", "78")
    cursor = since(paced)
    paced.reboot()
    argv = (
        "journalctl",
        "-b",
        "-1",
        "-u",
        "hostagent-release.service",
        "--after-cursor",
        cursor,
        "-o",
        "cat",
    )
    assert "resumed" not in (said := paced.out(*argv, "--no-pager")), said
    until_running(paced, "a1", "a2")
    agent.until("it has ended", lambda: ended(paced), seconds=60)
    lines = [(when, words) for when, words in log(paced, cursor) if not words.startswith("multiple")]
    started = [words for _, words in lines if words.startswith("started")]
    assert started == ["started a2: adopted, priority 2", "started a1: adopted, priority 1"]
    if boot == "start":
        until_running(paced, "g1", "g2")
        assert len(at(lines, "^resumed g[12]")) == 2
    else:
        assert {state(paced, name) for name in ("g1", "g2")} == {"shut off"}
        paced.start("g1", "g2")
        until_running(paced, "g1", "g2", seconds=20)
    assert kept(paced) == []


def test_removing_the_package_leaves_nobody_held(paced: Node) -> None:
    hold(paced, "hold", "g1", "g2")
    hold(paced, "adopt", "1", "a1")
    done = paced.run("dpkg", "--remove", "hostagent", timeout=300)
    assert {state(paced, name) for name in ("g1", "g2")} == {"running"}, done.stdout + done.stderr
    assert re.search(r"Autostart:\s+enable", paced.out("virsh", "dominfo", "a1")), done.stdout + done.stderr
    assert "hostagent" not in paced.out("systemctl", "--failed", "--no-legend", "--plain")
