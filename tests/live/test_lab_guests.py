"""The lab's guests, what is seen of them on their taps, and two nodes side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests import lab
from tests.lab import Direction, soon
from tests.lab.frames import BROADCAST, parse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

pytestmark = pytest.mark.lab


def hears(node: lab.Node, taps: Iterable[str], wanted: dict[str, set[str]], seconds: float = 20) -> bool:
    return soon(seconds, lambda: node.reach(list(taps), 1.5) == wanted)


def test_guests_run_answer_and_are_heard(make_node: Callable[..., lab.Node]) -> None:
    node = make_node("lab-guests", bare=True)
    macs = {
        "tapa": node.guest("a", vlan=100, ip="10.0.0.1/24", tap="tapa", bandwidth=500),
        "tapb": node.guest("b", vlan=100, ip="10.0.0.2/24", tap="tapb", kind="linux", disk=8),
        "tapc": node.guest("c", vlan=200, ip="10.0.0.3/24", tap="tapc", mac="52:54:00:00:00:0c"),
    }
    assert macs["tapc"] == "52:54:00:00:00:0c"
    node.start("a", "b", "c")
    assert node.tap("a") == "tapa"
    assert hears(node, macs, {"tapa": {macs["tapb"]}, "tapb": {macs["tapa"]}, "tapc": set()})

    port = "add-port br-int host tag=100 -- set Interface host type=internal"
    node.run("ovs-vsctl", *port.split())
    node.run("ip", "address", "add", "10.0.0.9/24", "dev", "host")
    node.run("ip", "link", "set", "host", "up")
    with node.capture(["tapa"]) as seen:
        for ip in ("10.0.0.1", "10.0.0.2"):
            node.run("ping", "-c2", "-i0.3", "-W3", ip)
        assert node.run("ping", "-c1", "-W1", "10.0.0.3", check=False).returncode == 1
    pings = {(frame.summary, frame.direction) for frame in seen.frames["tapa"] if "icmp" in frame.summary}
    assert pings == {
        ("icmp 10.0.0.9 > 10.0.0.1 request", Direction.TO_GUEST),
        ("icmp 10.0.0.1 > 10.0.0.9 reply", Direction.FROM_GUEST),
    }
    beacons = [
        frame
        for frame in node.frames(["tapa", "tapb"], 4)["tapa"]
        if frame.src == macs["tapa"] and frame.dst == BROADCAST
    ]
    assert len(beacons) >= 10

    node.run("virsh", "shutdown", "a")
    node.run("virsh", "shutdown", "b")
    assert soon(30, lambda: node.out("virsh", "domstate", "b") == "shut off")
    assert node.out("virsh", "domstate", "a") == "running"


def test_a_linux_guest_asks_for_its_address(make_node: Callable[..., lab.Node]) -> None:
    node = make_node("lab-dhcp", bare=True)
    node.run("ovs-vsctl", "add-port", "br-int", "host", "--", "set", "Interface", "host", "type=internal")
    node.run("ip", "address", "add", "10.0.0.9/24", "dev", "host")
    node.run("ip", "link", "set", "host", "up")
    node.run("dnsmasq", "--port=0", "--interface=host", "--dhcp-range=10.0.0.50,10.0.0.50,120")
    mac = node.guest("asks", kind="linux")
    node.start("asks")
    assert soon(30, lambda: node.run("ping", "-c1", "-W1", "10.0.0.50", check=False).returncode == 0)
    assert f"{mac} 10.0.0.50 asks" in node.out("cat", "/var/lib/misc/dnsmasq.leases")


def test_two_nodes_do_not_meet_until_linked(make_node: Callable[..., lab.Node]) -> None:
    one, two = make_node("lab-one", bare=True), make_node("lab-two", bare=True)
    assert one.out("cat", "/etc/machine-id") != two.out("cat", "/etc/machine-id")
    mac = one.guest("moves", ip="10.0.0.1/24", tap="tapm")
    two.guest("hears", ip="10.0.0.2/24", tap="taph")
    one.start("moves")
    two.start("hears")
    one.run("systemctl", "kill", "--signal=KILL", "ovs-vswitchd.service")
    assert two.run("ovs-appctl", "version").returncode == 0
    one.run("systemctl", "restart", "openvswitch-switch.service")
    assert two.reach(["taph"]) == {"taph": set()}
    assert two.run("ping", "-c1", "-W1", "10.99.1.1", check=False).returncode != 0

    end = lab.link("lab-one", "lab-two")
    assert lab.link("lab-one", "lab-two") == end
    one.run("ping", "-c1", "-W2", "lab-two")
    one.run("virsh", "migrate", "--live", "moves", "qemu+tcp://lab-two/system")
    assert two.out("virsh", "domstate", "moves") == "running"
    assert hears(two, ["taph"], {"taph": {mac}})

    two.power_cut()
    assert one.run("ping", "-c1", "-W1", "lab-two", check=False).returncode != 0
    two.boot()
    one.run("ping", "-c1", "-W2", "lab-two")


def test_frames_are_parsed() -> None:
    arp = bytes.fromhex(
        "ffffffffffff 525400000001 0806 0001080006040001 525400000001 0a000001 000000000000 0a000002"
    )
    frame = parse(arp, 4)
    assert (frame.src, frame.dst, frame.vlan) == ("52:54:00:00:00:01", BROADCAST, None)
    assert (frame.summary, frame.direction) == ("arp who-has 10.0.0.2 tell 10.0.0.1", Direction.TO_GUEST)
    tagged = parse(arp[:12] + bytes.fromhex("81000064") + arp[12:], 0)
    assert (tagged.vlan, tagged.ethertype, tagged.direction) == (100, 0x0806, Direction.FROM_GUEST)
    assert parse(arp, 0, 200).vlan == 200
