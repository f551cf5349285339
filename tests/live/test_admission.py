"""Starts admitted by the qemu hook, in a node: how many start, who is never refused, and what may break."""

from __future__ import annotations

import json
import statistics
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests import lab
from tests.live import agent

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.lab import Node

pytestmark = [pytest.mark.lab, pytest.mark.alone]  # the hook has 0.2 s to be answered

MIB = 1 << 20
ROOM = 7
GUESTS = tuple(f"s{number:02}" for number in range(20))
CHARGE = 8 * MIB + 8 * MIB // 512 + 50 * MIB + 8 * MIB  # memory, page tables, QEMU, one vCPU
WRAPPER = "/etc/libvirt/hooks/qemu.d/50-hostagent"
DOMAIN = """<domain type='qemu'><name>{name}</name><memory unit='MiB'>8</memory><vcpu>1</vcpu>
<os><type arch='x86_64' machine='pc'>hvm</type></os>
<devices><emulator>/usr/bin/qemu-system-x86_64</emulator>
<video><model type='none'/></video><memballoon model='none'/></devices></domain>"""


@pytest.fixture(scope="module")
def node(make_node: Callable[..., Node]) -> Node:
    """Twenty guests of 8 MiB that have never run, and the hook, which libvirt was told of."""
    made = make_node("admission", agent=True)
    for name in GUESTS:
        made.write(f"/root/{name}.xml", DOMAIN.format(name=name))
    made.run("sh", "-c", "for each in /root/s*.xml; do virsh -q define $each & done; wait")
    made.put(Path(__file__).with_name("admission_storm.py"), "/root/storm.py")
    assert "systemctl reload libvirtd" in made.run("hostagent", "hook", "install").stdout
    made.run("systemctl", "reload", "libvirtd")
    return made


def budget(node: Node, policy: str, room: float) -> None:
    """An agent under which so many of the guests fit."""
    meminfo = node.read("/proc/meminfo").split()
    total = int(meminfo[meminfo.index("MemTotal:") + 1]) * 1024
    reserved = (total - round(room * CHARGE)) // MIB
    agent.configure(
        node,
        f'[memory]\npolicy = "{policy}"\nratio = 1.0\nreserved_mib = {reserved}\n'
        "[agent]\ninterval_seconds = 2\npulse_seconds = 0.5\n",
    )


def fresh(node: Node, policy: str, room: float = ROOM + 0.5) -> None:
    """Nothing runs, and the agent knows nobody who ever did."""
    node.run("systemctl", "stop", "hostagent")
    node.run("sh", "-c", "for each in $(virsh -q list --name); do virsh -q destroy $each & done; wait")
    node.run("rm", "-f", "/var/lib/hostagent/ran.json", "/run/hostagent/admission.json")
    budget(node, policy, room)


def storm(node: Node, *names: str) -> tuple[dict[str, str | None], list[float]]:
    told = json.loads(node.run("python3", "/root/storm.py", *names, timeout=120).stdout)
    return told["errors"], sorted(told["lists"])


def start(node: Node, name: str) -> str:
    """Start one guest; the error, "" if it runs."""
    return node.run("virsh", "-q", "start", "--paused", name, check=False).stderr


def counts(node: Node) -> dict[str, int]:
    """How many starts had each result since the agent's start, as it tells now."""
    found: dict[str, int] = {}
    for each in agent.published(node)["admission"]["counts"]:
        found[each["result"]] = found.get(each["result"], 0) + each["count"]
    return found


def running(node: Node) -> set[str]:
    return set(node.out("virsh", "-q", "list", "--name").split())


def test_seven_fit_and_thirteen_are_told_why(node: Node) -> None:
    fresh(node, "enforce")
    errors, lists = storm(node, *GUESTS)
    refused = {name: error for name, error in errors.items() if error}
    assert running(node) == {name for name, error in errors.items() if not error}
    assert len(refused) == len(GUESTS) - ROOM, errors
    for name, error in refused.items():
        assert f"hostagent refuses to start '{name}': the budget of 495 MiB would need" in error
    agent.until("counted", lambda: counts(node) == {"admitted": 7, "refused": 13}, seconds=30)
    print(f"virsh list during 20 starts: median {statistics.median(lists):.3f} s, most {lists[-1]:.3f} s")
    assert lists[-1] < 5


def test_who_ran_here_starts_again_over_the_budget(node: Node) -> None:
    """A hard reboot destroys first: to refuse it would end a guest that ran."""
    ran, other = min(running(node)), min(set(GUESTS) - running(node))
    budget(node, "enforce", 2.5)
    node.run("virsh", "-q", "destroy", ran)
    assert start(node, ran) == ""
    assert "hostagent refuses" in start(node, other)
    agent.until("counted", lambda: counts(node) == {"recent": 1, "refused": 1}, seconds=30)


@pytest.mark.parametrize("away", ["stopped", "killed", "hung"])
def test_without_an_answer_guests_start(node: Node, away: str) -> None:
    """And the agent that is back counts them: seven fit, and seven run."""
    fresh(node, "enforce")
    pid = node.out("systemctl", "show", "-p", "MainPID", "--value", "hostagent")
    first, meanwhile, late = GUESTS[0], GUESTS[1:ROOM], GUESTS[ROOM]
    assert start(node, first) == ""
    if away == "hung":
        node.run("kill", "-STOP", pid)
    elif away == "stopped":
        node.run("systemctl", "stop", "hostagent")
    else:
        node.run("sh", "-c", "systemctl kill -s KILL hostagent; systemctl stop hostagent")
    began = time.monotonic()
    errors, _ = storm(node, *meanwhile)
    assert set(errors.values()) == {None}
    print(f"{len(meanwhile)} starts with the agent {away}: {time.monotonic() - began:.1f} s")
    node.run(*(["kill", "-CONT", pid] if away == "hung" else ["systemctl", "start", "hostagent"]))
    agent.until("all are known", lambda: _known(node) >= {first, *meanwhile}, seconds=30)
    assert "hostagent refuses" in start(node, late)
    node.run("virsh", "-q", "destroy", first)
    agent.until("there is room again", lambda: start(node, late) == "", seconds=30)


def _known(node: Node) -> set[str]:
    """Guests that the agent has seen to run."""
    ran = json.loads(node.read("/var/lib/hostagent/ran.json"))["ran"]
    return {name for name in running(node) if node.out("virsh", "domuuid", name) in ran}


def test_without_python_all_guests_live_on(node: Node) -> None:
    """Also over a restart of libvirtd, which runs the hook for each of them."""
    more = sorted(set(GUESTS) - running(node))
    eight = [*sorted(running(node)), *more][:8]
    budget(node, "enforce", 1.5)
    path = node.out("readlink", "-f", "/usr/bin/python3")
    node.run("mv", path, f"{path}.away")
    try:
        for name in set(eight) - running(node):
            assert start(node, name) == ""
        before = qemus(node)
        assert len(before) >= len(eight)
        node.run("systemctl", "restart", "libvirtd")
        assert running(node) >= set(eight)
        assert qemus(node) == before
    finally:
        node.run("mv", f"{path}.away", path)
    agent.until("all are known", lambda: _known(node) >= running(node), seconds=30)
    assert "hostagent refuses" in start(node, min(set(GUESTS) - running(node)))


def qemus(node: Node) -> set[str]:
    """The guests' processes."""
    return set(node.out("pidof", "qemu-system-x86_64").split())


def test_observed_all_start_and_thirteen_are_counted(node: Node) -> None:
    fresh(node, "observe")
    errors, lists = storm(node, *GUESTS)
    assert set(errors.values()) == {None}
    agent.until("counted", lambda: counts(node) == {"admitted": 7, "would-refuse": 13}, seconds=30)
    series = _metrics(node)
    assert series['hostagent_admissions_total{figure="budget",result="would-refuse"}'] == 13
    print(f"virsh list during 20 starts: median {statistics.median(lists):.3f} s, most {lists[-1]:.3f} s")


def _metrics(node: Node) -> dict[str, float]:
    node.run("systemctl", "start", "hostagent-exporter")
    found: dict[str, float] = {}

    def there() -> bool:
        found.update(agent.scrape(node)[1])
        return True

    agent.until("scraped", there, seconds=30)
    return found


_COST = """
import subprocess, sys, time
xml = open(sys.argv[1], "rb").read()
for _ in range(15):
    began = time.perf_counter()
    done = subprocess.run([sys.argv[2], "s00", "prepare", "begin", "-"], input=xml, stderr=subprocess.PIPE)
    print(time.perf_counter() - began, done.returncode)
"""


def test_what_the_hook_costs(node: Node) -> None:
    fresh(node, "enforce")
    xml = node.out("virsh", "dumpxml", GUESTS[0])
    node.write("/root/asked.xml", xml)
    lines = node.out("python3", "-c", _COST, "/root/asked.xml", WRAPPER).splitlines()
    took = sorted(float(line.split()[0]) for line in lines)
    assert {line.split()[1] for line in lines} == {"0"}
    print(f"hook: median {statistics.median(took) * 1000:.0f} ms, most {took[-1] * 1000:.0f} ms")
    agent.until("counted", lambda: counts(node) == {"admitted": 15}, seconds=30)
    assert statistics.median(took) < 0.06


def test_an_incoming_migration_counts_like_a_start(node: Node, make_node: Callable[..., Node]) -> None:
    """Refused, the guest stays where it is, and the source's error says why."""
    fresh(node, "enforce", room=0.5)
    source = make_node("admission-from")
    lab.link("admission-from", "admission")
    source.write("/root/moves.xml", DOMAIN.format(name="moves"))
    source.run("virsh", "-q", "create", "--paused", "/root/moves.xml")
    migrate = ("virsh", "migrate", "--live", "moves", "qemu+tcp://admission/system")
    assert "hostagent refuses to start 'moves': the budget" in source.run(*migrate, check=False).stderr
    assert source.out("virsh", "domstate", "moves") == "paused"
    budget(node, "enforce", 1.5)
    source.run(*migrate)
    assert running(node) == {"moves"}


def test_status_and_removal(node: Node) -> None:
    told: dict[str, Any] = json.loads(node.run("hostagent", "hook", "status", "--json").stdout)
    assert (told["in_force"], told["wrapper"]) == (True, "current")
    node.write("/etc/libvirt/hooks/qemu.d/10-site", "#!/bin/sh\nexit 0\n", mode="755")
    assert node.run("hostagent", "hook", "remove").stdout == "removed\n"
    status = node.run("hostagent", "hook", "status")
    assert "not installed" in status.stdout
    assert "10-site" in status.stdout
