"""The readers against real daemons: what is hung, gone, denied or odd is said and blinds nothing else."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

import pytest

from tests.lab.wait import soon
from tests.live.look import NOBODY, signal
from tests.live.source_probe import PROBE, Probe, answering, fresh_troubles, furnished, troubles

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.lab import Node

pytestmark = pytest.mark.lab


@pytest.fixture(scope="module")
def node(make_node: Callable[[str], Node]) -> Node:
    return furnished(make_node("src2"))


@pytest.fixture
def well(node: Node) -> Iterator[Node]:
    yield from answering(node)


@pytest.mark.parametrize(
    ("daemon", "sections"),
    [
        ("libvirtd", {"domains"}),
        ("ovsdb-server", {"ovs"}),
        ("ovs-vswitchd", {"vswitchd", "flows"}),
    ],
)
@pytest.mark.parametrize("ending", ["_exit", "plain"])
def test_hung(well: Node, daemon: str, sections: set[str], ending: str) -> None:
    probe = Probe(well, ending=ending)
    assert troubles(probe.look()) == {}
    signal(well, "STOP", daemon)
    try:
        first, second, fresh = probe.look(3), probe.look(3), Probe(well, ending=ending)
        newly = fresh.look(3)
        for look in (first, second):
            assert fresh_troubles(look) == dict.fromkeys(sections, "unresponsive")
        asks_as_well = {"guests_memory"} if daemon == "libvirtd" else set[str]()
        assert troubles(newly) == dict.fromkeys(sections | asks_as_well, "unresponsive")
        assert max(look["took"] for look in (first, second, newly)) < 3.9
        for name in sections:
            assert first[name]["since"] == second[name]["since"]
            assert "\n" not in first[name]["reason"]
            assert "systemctl status" in newly[name]["reason"]
        assert fresh.end() < 5
    finally:
        signal(well, "CONT", daemon)
    time.sleep(0.5)
    assert troubles(probe.look()) == {}
    assert probe.end() < 5


def test_libvirtd_stopped_and_idle(well: Node) -> None:
    probe = Probe(well)
    probe.look()
    well.run("systemctl", "stop", "libvirtd.service")  # as when idle: the sockets listen
    assert troubles(probe.look()) == {}
    units = ("libvirtd.service", "libvirtd.socket", "libvirtd-ro.socket", "libvirtd-admin.socket")
    well.run("systemctl", "stop", *units)
    look = probe.look()
    assert fresh_troubles(look) == {"domains": "unreachable"}
    assert look["domains"]["reason"].startswith("libvirt unreachable at qemu:///system: ")
    well.run("systemctl", "start", *units[1:])
    assert troubles(probe.look()) == {}
    probe.end()


def test_vswitchd_killed(well: Node) -> None:
    probe = Probe(well)
    probe.look()
    well.run("systemctl", "kill", "-s", "STOP", "ovs-vswitchd.service")  # its monitor must not revive it
    well.run("systemctl", "kill", "-s", "KILL", "ovs-vswitchd.service")
    assert soon(30, lambda: troubles(probe.look()) != {})
    look = probe.look()
    assert set(troubles(look)) >= {"vswitchd", "flows", "packet_sockets"}
    assert set(troubles(look).values()) == {"unreachable"}
    well.run("systemctl", "restart", "openvswitch-switch.service", "ovs-vswitchd.service")
    assert soon(30, lambda: troubles(probe.look()) == {})
    probe.end()


def test_ovsdb_stopped(well: Node) -> None:
    probe = Probe(well)
    before = probe.look()["ovs"]["ports"]
    well.run("systemctl", "stop", "ovsdb-server.service")
    look = probe.look()
    assert troubles(look)["ovs"] == "unreachable"
    assert "(is ovsdb-server running? systemctl status ovsdb-server)" in look["ovs"]["reason"]
    assert "domains" not in troubles(look)
    well.run(
        "systemctl", "start", "ovsdb-server.service", "ovs-vswitchd.service", "openvswitch-switch.service"
    )
    assert soon(30, lambda: troubles(probe.look()) == {})
    assert set(probe.look()["ovs"]["ports"]) == set(before)
    probe.end()


def test_unprivileged(well: Node) -> None:
    well.run("cp", PROBE, "/tmp/probe.py")
    well.run("chmod", "644", "/tmp/probe.py")
    argv = ("sh", "-c", "cd / && echo 5 | python3 /tmp/probe.py")
    look = json.loads(well.run(*NOBODY, *argv).stdout)
    denied = {"ovs", "vswitchd", "flows", "packet_sockets", "tap_holders"}
    assert troubles(look) == dict.fromkeys(denied, "denied")
    for name in denied:
        assert "run as root" in look[name]["reason"]


@pytest.mark.parametrize(
    ("drop", "expected"),
    [
        ("Port.tag", "can't be used: its schema (version 8.3.1) has no column Port.tag"),
        ("Mirror.select_all", ""),
        ("Interface.error", ""),
        ("Port.fake_bridge", ""),
    ],
)
def test_another_schema(well: Node, drop: str, expected: str) -> None:
    folder = f"/root/{drop}"
    table, column = drop.split(".")
    program = f"""
import json, os, subprocess, sys
from hostagent.sources.deadline import ReadError
from hostagent.sources.ovsdb import read_ovs
os.makedirs("{folder}")
os.chdir("{folder}")
schema = json.load(open("/usr/share/openvswitch/vswitch.ovsschema"))
del schema["tables"]["{table}"]["columns"]["{column}"]
json.dump(schema, open("schema", "w"))
subprocess.run(["ovsdb-tool", "create", "conf.db", "schema"], check=True)
run = "--remote=punix:{folder}/db.sock --unixctl={folder}/ctl --pidfile={folder}/pid"
run = [*run.split(), "--detach", "--no-chdir"]
subprocess.run(["ovsdb-server", "conf.db", *run], check=True)
insert = dict(op="insert", table="Open_vSwitch", row=dict())
say = json.dumps(["Open_vSwitch", insert])
subprocess.run(["ovsdb-client", "transact", "unix:{folder}/db.sock", say], check=True)
try:
    print(read_ovs("{folder}/db.sock", seconds=5).schema_version)
except ReadError as error:
    print(error.trouble, error.reason)
os.kill(int(open("pid").read()), 15)
"""
    said = well.run("python3", "-c", program).stdout.splitlines()[-1]
    assert said.startswith("invalid ") if expected else said == "8.3.1"
    assert expected in said
