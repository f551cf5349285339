"""The readers against real daemons: what they see is what the tools show."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

import pytest

from tests.live.look import pid
from tests.live.source_probe import Probe, answering, furnished, once, troubles

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.lab import Node

pytestmark = pytest.mark.lab

HOSTILE = "ev\u00efl ../../etc 'x' \"y\" & \u65e5\u672c\\n"


@pytest.fixture(scope="module")
def node(make_node: Callable[[str], Node]) -> Node:
    return furnished(make_node("src1"))


@pytest.fixture
def well(node: Node) -> Iterator[Node]:
    yield from answering(node)


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
    assert probe.end() < 5


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
    assert look["took"] < 5
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


def domain_xml(name: str, inside: str, title: str = "") -> str:
    head = f"<name>{escape(name)}</name><title>{escape(title)}</title><memory>8192</memory>"
    return f"<domain type='qemu'>{head}{inside}<os><type>hvm</type></os></domain>"


def filling(size: int) -> str:
    one = "<n:x xmlns:n='urn:x' v='" + "z" * 100 + "'/>"
    return "<metadata><n:all xmlns:n='urn:n'>" + one * (size // len(one)) + "</n:all></metadata>"
