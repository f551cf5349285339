"""The readers against real daemons: what they see is what the tools show, and they say why they can't see."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

import pytest

from tests.live.look import pid, signal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.lab import Node

pytestmark = pytest.mark.lab

PROBE = "/root/probe.py"
HOSTILE = "ev\u00efl ../../etc 'x' \"y\" & \u65e5\u672c\\n"


class Probe:
    """hostagent's readers in one process of the node."""

    def __init__(self, node: Node, *user: str, ending: str = "_exit") -> None:
        argv = (*user, "python3", PROBE, ending)
        pipe = subprocess.PIPE
        self.process = node.popen(*argv, stdin=pipe, stdout=pipe, stderr=pipe)

    def look(self, seconds: float = 5.0) -> dict[str, Any]:
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(f"{seconds}\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        assert line, self.process.stderr and self.process.stderr.read()
        found: dict[str, Any] = json.loads(line)
        return found

    def end(self) -> float:
        """Let it end by itself; how long that took. Nothing may have been said on stderr."""
        began = time.monotonic()
        _, said = self.process.communicate(timeout=10)
        assert (self.process.returncode, said) == (0, "")
        return time.monotonic() - began


def troubles(look: dict[str, Any]) -> dict[str, str]:
    return {
        name: each["trouble"] for name, each in look.items() if isinstance(each, dict) and "trouble" in each
    }


def once(node: Node, *user: str, seconds: float = 5.0) -> dict[str, Any]:
    probe = Probe(node, *user)
    found = probe.look(seconds)
    probe.end()
    return found


@pytest.fixture(scope="module")
def node(make_node: Callable[[str], Node]) -> Node:
    made = make_node("src1")
    made.put(Path(__file__).with_name("probe.py"), PROBE)
    made.guest("a1", bridge="br-int", vlan=100, bandwidth=1000)
    made.guest("a2", bridge="br-ext", tap="tap-a2", disk=8)
    made.guest("off", bridge="br-int", tap="tap-off")
    made.start("a1", "a2")
    return made


@pytest.fixture
def well(node: Node) -> Iterator[Node]:
    """The node, with everything answering before and after the test."""
    assert troubles(once(node)) == {}
    yield node
    assert troubles(once(node)) == {}


def test_what_the_tools_show(well: Node) -> None:
    look = once(well)
    domains = {each["name"]: each for each in look["domains"]["by_uuid"].values()}
    assert set(domains) == set(well.out("virsh", "list", "--all", "--name").split())
    for name, domain in domains.items():
        assert domain["uuid"] == well.out("virsh", "domuuid", name)
        assert domain["live"] is (well.out("virsh", "domstate", name) == "running")
        listed = [line.split() for line in well.out("virsh", "-q", "domiflist", name).splitlines()]
        own = domain["interfaces"] if domain["live"] else domain["persistent_interfaces"]
        assert [(i["tap"], i["kind"], i["bridge"], i["mac"]) for i in own] == [
            (dev, kind, source, mac) for dev, kind, source, _, mac in listed
        ]
    [interface] = domains["a1"]["interfaces"]
    assert interface["vlan"]["tags"] == [100]
    assert interface["bandwidth"]["inbound"]["average"] == 1000
    assert domains["off"]["reason"] == "unknown"

    ports = look["ovs"]["ports"]
    assert set(ports) == {
        port
        for bridge in ("br-int", "br-ext")
        for port in [bridge, *well.out("ovs-vsctl", "list-ports", bridge).split()]
    }
    tap = well.tap("a1")
    assert ports[tap]["tag"] == 100
    assert ports[tap]["uuid"] == well.out("ovs-vsctl", "get", "Port", tap, "_uuid")
    row = ports[tap]["interfaces"][0]
    for column in ("ofport", "ifindex", "ingress_policing_rate"):
        assert str(row[column]) == well.out("ovs-vsctl", "get", "Interface", tap, column)
    assert row["external_ids"]["vm-id"] == domains["a1"]["uuid"]
    assert ports[tap]["qos"] in look["ovs"]["qos"]
    assert look["ovs"]["schema_version"] == well.out("ovsdb-client", "get-schema-version")

    links = look["links"]["by_name"]
    shown = json.loads(well.out("ip", "-json", "-details", "link"))
    assert set(links) == {each["ifname"] for each in shown}
    for each in shown:
        link = links[each["ifname"]]
        info = each.get("linkinfo", {})
        assert (link["ifindex"], link["mtu"], link["mac"]) == (each["ifindex"], each["mtu"], each["address"])
        assert link["kind"] == info.get("info_kind", "")
        assert link["tap"] is (info.get("info_data", {}).get("type") == "tap")
        assert link["up"] is ("UP" in each["flags"])

    assert str(look["vswitchd"]["pid"]) == pid(well, "ovs-vswitchd")
    port = look["vswitchd"]["datapath"]["br-int"][tap]
    assert port["ofport"] == row["ofport"]
    assert links[tap]["ifindex"] in look["packet_sockets"]
    holder = well.out("cat", "/run/libvirt/qemu/a1.pid")
    assert look["tap_holders"][tap] == [int(holder)]
    assert look["ovs_ctl_options"] == ""


def test_the_newest_libraries_see_the_same(well: Node) -> None:
    """This interpreter has PyPI's libraries, the node Debian's; only the node's network is entered."""
    root = f"/proc/{well.leader}/root"
    argv = ["nsenter", "-t", str(well.leader), "-n", sys.executable, "-m", "tests.live.probe"]
    done = subprocess.run(
        [*argv, "_exit", f"{root}/run"], input="5\n", capture_output=True, text=True, check=True, timeout=30
    )
    assert done.stderr == ""
    theirs, ours = once(well), json.loads(done.stdout)
    for section in ("ovs", "links", "packet_sockets", "flows"):
        assert ours[section] == theirs[section]
    assert ours["domains"]["by_uuid"] == theirs["domains"]["by_uuid"]
    assert ours["vswitchd"]["datapath"] == theirs["vswitchd"]["datapath"]


def test_flows(well: Node) -> None:
    well.run("ovs-ofctl", "add-flow", "br-int", "priority=7,in_port=77,dl_vlan=5,actions=drop")
    well.run("ovs-ofctl", "add-flow", "br-int", "priority=7,in_port=LOCAL,actions=drop")
    assert once(well)["flows"]["in_ports"] == {"br-int": {"77": 1}, "br-ext": {}}
    well.run("ovs-ofctl", "del-flows", "br-int", "in_port=77")


def test_a_kept_replica_is_current(well: Node) -> None:
    probe = Probe(well)
    for number in range(5):
        name = f"made{number}"
        assert name not in probe.look()["ovs"]["ports"]
        well.run("ovs-vsctl", "add-port", "br-int", name, "--", "set", "Interface", name, "type=internal")
        assert name in probe.look()["ovs"]["ports"]
        well.run("ovs-vsctl", "del-port", name)
    assert probe.end() < 2


def test_states_jobs_and_failed_starts(well: Node) -> None:
    well.run("virsh", "suspend", "a1")
    backup = "<domainbackup mode='pull'><server transport='unix' socket='/tmp/nbd'/></domainbackup>"
    well.write("/root/backup.xml", backup)
    well.run("virsh", "backup-begin", "a2", "/root/backup.xml")
    disk = "<disk type='file'><source file='/nonexistent'/><target dev='hda'/></disk>"
    well.write("/root/bad.xml", domain_xml("bad", f"<devices>{disk}</devices>"))
    well.run("virsh", "define", "/root/bad.xml")
    assert well.run("virsh", "start", "bad", check=False).returncode
    by_name = {each["name"]: each for each in once(well)["domains"]["by_uuid"].values()}
    assert (by_name["a1"]["state"], by_name["a1"]["reason"]) == ("paused", "user")
    assert (by_name["bad"]["state"], by_name["bad"]["reason"]) == ("shutoff", "failed")
    assert (by_name["a1"]["job"], by_name["a2"]["job"]) == ("", "backup")
    well.run("virsh", "domjobabort", "a2")
    well.run("virsh", "resume", "a1")
    well.run("virsh", "undefine", "bad")


def test_hostile_names_and_nearly_4_megabytes(well: Node) -> None:
    well.write("/root/big.xml", domain_xml("big", filling(3_900_000)))
    well.run("virsh", "define", "/root/big.xml")
    name = HOSTILE.replace("/", "|")  # libvirt refuses a slash and a newline
    well.write("/root/evil.xml", domain_xml(name, "", title=HOSTILE))
    well.run("virsh", "define", "/root/evil.xml")
    well.run("ovs-vsctl", "set", "Port", "br-int", f"external_ids:evil={json.dumps(HOSTILE * 500)}")
    look = once(well)
    assert {"big", name} <= {each["name"] for each in look["domains"]["by_uuid"].values()}
    assert look["ovs"]["ports"]["br-int"]["external_ids"]["evil"] == HOSTILE * 500
    assert look["took"] < 2
    well.run("ovs-vsctl", "remove", "Port", "br-int", "external_ids", "evil")
    for each in ("big", name):
        well.run("virsh", "undefine", each)


def test_5_megabytes_are_more_than_libvirt_hands_out(well: Node) -> None:
    """REMOTE_STRING_MAX is 4 MiB (src/remote/remote_protocol.x): the section must name the domain."""
    well.write("/etc/libvirt/qemu/big.xml", domain_xml("big", filling(5_000_000)))
    well.run("systemctl", "restart", "libvirtd.service")
    look = once(well)
    assert troubles(look) == {"domains": "invalid"}
    assert look["domains"]["reason"].startswith("libvirt does not hand out the XML of domain 'big': ")
    well.run("virsh", "undefine", "big")


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
        first, second, fresh = probe.look(1), probe.look(1), Probe(well, ending=ending)
        newly = fresh.look(1)
        for look in (first, second, newly):
            assert troubles(look) == dict.fromkeys(sections, "unresponsive")
            assert look["took"] < 1.3
        for name in sections:
            assert first[name]["since"] == second[name]["since"]
            assert "\n" not in first[name]["reason"]
            assert "systemctl status" in newly[name]["reason"]
        assert fresh.end() < 2.5
    finally:
        signal(well, "CONT", daemon)
    time.sleep(0.5)
    assert troubles(probe.look()) == {}
    assert probe.end() < 2.5


def test_libvirtd_stopped_and_idle(well: Node) -> None:
    probe = Probe(well)
    probe.look()
    well.run("systemctl", "stop", "libvirtd.service")  # as when idle: the sockets listen
    assert troubles(probe.look()) == {}
    units = ("libvirtd.service", "libvirtd.socket", "libvirtd-ro.socket", "libvirtd-admin.socket")
    well.run("systemctl", "stop", *units)
    look = probe.look()
    assert troubles(look) == {"domains": "unreachable"}
    assert look["domains"]["reason"].startswith("libvirt unreachable at qemu:///system: ")
    well.run("systemctl", "start", *units[1:])
    assert troubles(probe.look()) == {}
    probe.end()


def test_vswitchd_killed(well: Node) -> None:
    probe = Probe(well)
    probe.look()
    well.run("systemctl", "kill", "-s", "STOP", "ovs-vswitchd.service")  # its monitor must not revive it
    well.run("systemctl", "kill", "-s", "KILL", "ovs-vswitchd.service")
    wait_until(lambda: troubles(probe.look()) != {})
    look = probe.look()
    assert set(troubles(look)) >= {"vswitchd", "flows", "packet_sockets"}
    assert set(troubles(look).values()) == {"unreachable"}
    well.run("systemctl", "restart", "openvswitch-switch.service", "ovs-vswitchd.service")
    wait_until(lambda: troubles(probe.look()) == {})
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
    wait_until(lambda: troubles(probe.look()) == {})
    assert set(probe.look()["ovs"]["ports"]) == set(before)
    probe.end()


def test_unprivileged(well: Node) -> None:
    well.run("cp", PROBE, "/tmp/probe.py")
    well.run("chmod", "644", "/tmp/probe.py")
    user = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--")
    argv = ("sh", "-c", "cd / && echo 5 | python3 /tmp/probe.py")
    look = json.loads(well.run(*user, *argv).stdout)
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


def domain_xml(name: str, inside: str, title: str = "") -> str:
    head = f"<name>{escape(name)}</name><title>{escape(title)}</title><memory>8192</memory>"
    return f"<domain type='qemu'>{head}{inside}<os><type>hvm</type></os></domain>"


def filling(size: int) -> str:
    one = "<n:x xmlns:n='urn:x' v='" + "z" * 100 + "'/>"
    return "<metadata><n:all xmlns:n='urn:n'>" + one * (size // len(one)) + "</n:all></metadata>"


def wait_until(true: Callable[[], bool], seconds: float = 15.0) -> None:
    until = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < until
        time.sleep(0.2)
