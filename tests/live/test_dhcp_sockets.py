"""The socket layer against real dnsmasq: each row of the reproduction table, and what must stay quiet."""

from __future__ import annotations

import os
import signal
import socket
import statistics
import time
from typing import TYPE_CHECKING

import pytest

from hostagent.decide.dhcp import judge
from hostagent.model.host import Trouble, Unavailable
from hostagent.sources.dhcp import netns
from hostagent.sources.dhcp.reader import DhcpReader
from tests.live.dhcp_place import Place, place, run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

pytestmark = pytest.mark.lab

RUNS = int(os.environ.get("DHCP_RUNS", "4"))  # `make soak-dhcp` sets it to 20
NO_DOMAINS = Unavailable(trouble=Trouble.ABSENT, reason="no libvirt", since=0.0)
BI, BD = "--bind-interfaces", "--bind-dynamic"


@pytest.fixture
def two(tmp_path: Path) -> Iterator[Place]:
    with place("hasock-two", tmp_path) as made:
        made.bridge(1)
        made.bridge(2)
        yield made


def codes(*names: str) -> set[str]:
    """What the sockets of these namespaces show, as "CODE NETWORK/SERVER"; other namespaces are others'."""
    seen = DhcpReader(libvirt_uri="", proc_dir="/proc", run_dir="/nonexistent").read(time.monotonic() + 10)
    mine = {each.key for each in seen.namespaces if each.name in names}
    assert not [each for each in seen.namespaces if each.key in mine and each.unread]
    judged = judge(seen, NO_DOMAINS, time.time())
    served = [each for each in judged.networks if each.namespace in mine]
    assert served, "nothing was found to judge"
    prefixes = tuple({f"{each.name}/" for each in served} | {f"{name}:" for name in names})
    return {f"{each.code} {each.object}" for each in judged.findings if each.object.startswith(prefixes)}


def every(code: str) -> set[str]:
    return {f"{code} hasock-two:br{number}/10.77.{number}.1" for number in (1, 2)}


UNBOUND = every("DHCP_SOCKET_UNBOUND")
ROWS: dict[str, tuple[tuple[str, ...], tuple[str, ...], set[str]]] = {
    "BI+I": ((BI, "--interface=br1"), (BI, "--interface=br2"), set()),
    "BD+I": ((BD, "--interface=br1"), (BD, "--interface=br2"), set()),
    "BI+L": ((BI, "--listen-address=10.77.1.1"), (BI, "--listen-address=10.77.2.1"), UNBOUND),
    "BD+L": ((BD, "--listen-address=10.77.1.1"), (BD, "--listen-address=10.77.2.1"), UNBOUND),
    "two --interface each": (
        (BI, "--interface=br1", "--interface=br9"),
        (BI, "--interface=br2", "--interface=br9"),
        UNBOUND,
    ),
    "a wildcard": ((BD, "--interface=br1*"), (BD, "--interface=br2"), UNBOUND),
    "A: BI+I, then B: BI+L": ((BI, "--interface=br1"), (BI, "--listen-address=10.77.2.1"), UNBOUND),
    "A: BI+L, then B: BI+I": ((BI, "--listen-address=10.77.1.1"), (BI, "--interface=br2"), UNBOUND),
}


@pytest.mark.parametrize("row", ROWS)
def test_row_of_the_table(two: Place, row: str) -> None:
    first, second, expected = ROWS[row]
    two.bridge(9)
    for _ in range(RUNS):
        two.dnsmasq(1, *first)
        two.dnsmasq(2, *second)
        assert codes(two.name) == expected
        two.stop()


def test_unbound_first_is_said_before_and_after_the_restart(two: Place) -> None:
    for _ in range(RUNS):
        first = two.dnsmasq(1, BI, "--listen-address=10.77.1.1")
        two.dnsmasq(2, BI, "--interface=br2")
        assert codes(two.name) == UNBOUND  # every renewal works still
        two.end(first)
        assert codes(two.name) == set()
        two.dnsmasq(1, BI, "--listen-address=10.77.1.1")
        assert codes(two.name) == UNBOUND
        two.stop()


def test_bridge_made_after_its_server(two: Place) -> None:
    for _ in range(RUNS):
        two.ip("link", "del", "br1")
        two.dnsmasq(1, BD, "--interface=br1")
        two.dnsmasq(2, BD, "--interface=br2")
        two.bridge(1)
        assert codes(two.name) == UNBOUND
        two.stop()


def test_bridges_made_again_under_their_servers(two: Place) -> None:
    for _ in range(RUNS):
        two.dnsmasq(1, BD, "--interface=br1", "--no-ping")
        two.dnsmasq(2, BD, "--interface=br2", "--no-ping")
        for number in (1, 2):
            two.ip("link", "del", f"br{number}")
        assert {each.split("/")[0] for each in codes_of_gone(two)} == {
            f"DHCP_SOCKET_STALE {two.name}:br{number}" for number in (1, 2)
        }
        for number in (1, 2):
            two.bridge(number)
        assert codes(two.name) == every("DHCP_SOCKET_STALE")
        two.stop()


def codes_of_gone(where: Place) -> set[str]:
    """The same where no network is left that could be served."""
    seen = DhcpReader(libvirt_uri="", proc_dir="/proc", run_dir="/nonexistent").read(time.monotonic() + 10)
    found = judge(seen, NO_DOMAINS, time.time()).findings
    return {f"{each.code} {each.object}" for each in found if each.object.startswith(f"{where.name}:")}


def test_hung_server(two: Place) -> None:
    two.dnsmasq(1, BI, "--interface=br1")
    hung = two.dnsmasq(2, BI, "--interface=br2")
    expected = {f"DHCP_SERVER_STUCK {two.name}:br2/10.77.2.1"}
    for _ in range(RUNS):
        hung.send_signal(signal.SIGSTOP)
        until(lambda: codes(two.name) == expected)
        hung.send_signal(signal.SIGCONT)
        until(lambda: codes(two.name) == set())
    hung.send_signal(signal.SIGSTOP)
    netns.inside(f"/run/netns/{two.name}", send)
    seen = DhcpReader(libvirt_uri="", proc_dir="/proc", run_dir="/nonexistent").read(time.monotonic() + 10)
    (where,) = (each for each in seen.namespaces if each.name == two.name)
    assert where.stuck == {each.inode for each in where.sockets if hung.pid in each.pids}


def send() -> None:
    """A packet to the second server from its own network, that the device check lets through."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        sender.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"br2")
        sender.sendto(b"\1" * 300, ("10.77.2.255", 67))


def until(true: Callable[[], bool]) -> None:
    ends = time.monotonic() + 30
    while not true():
        assert time.monotonic() < ends
        time.sleep(0.01)


def test_healthy_setups_are_quiet(tmp_path: Path) -> None:
    """libvirt, incus and lxc-net beside each other; neutron, a relay and others each in a namespace."""
    (tmp_path / "default.conf").write_text(
        "##WARNING: THIS IS AN AUTO-GENERATED FILE.\nstrict-order\nexcept-interface=lo\nbind-dynamic\n"
        f"interface=virbr0\ndhcp-range=10.77.1.2,10.77.1.254,255.255.255.0\ndhcp-no-override\n"
        f"dhcp-authoritative\ndhcp-lease-max=253\ndhcp-leasefile={tmp_path}/libvirt\n"
    )
    names = ("hasock-host", "qdhcp-hasock", "hasock-relay", "hasock-known", "hasock-ever")
    with (
        place(names[0], tmp_path) as host,
        place(names[1], tmp_path) as neutron,
        place(names[2], tmp_path) as relay,
        place(names[3], tmp_path) as known,
        place(names[4], tmp_path) as ever,
    ):
        for number, name in enumerate(("virbr0", "incusbr0", "lxcbr0"), start=1):
            host.bridge(number, name)
        for each in (neutron, relay, known, ever):
            each.bridge(1)
        for _ in range(RUNS):
            host.start(f"--conf-file={tmp_path}/default.conf")
            host.start(
                *f"--strict-order {BI} --no-ping --interface=incusbr0 --dhcp-rapid-commit".split(),
                *"--listen-address=10.77.2.1 --dhcp-no-override --dhcp-authoritative --conf-file=".split(),
                *f"--dhcp-leasefile={tmp_path}/incus --dhcp-range 10.77.2.2,10.77.2.254,1h".split(),
            )
            host.start(
                *f"--conf-file= --strict-order {BI} --listen-address 10.77.3.1 --interface=lxcbr0".split(),
                *"--dhcp-range 10.77.3.2,10.77.3.254 --dhcp-lease-max=253 --dhcp-no-override".split(),
                *f"--dhcp-leasefile={tmp_path}/lxc --dhcp-authoritative".split(),
            )
            neutron.start(
                *"--no-hosts --strict-order --dhcp-match=set:ipxe,175 --conf-file= --bind-dynamic".split(),
                *f"--dhcp-leasefile={tmp_path}/neutron --dhcp-lease-max=256 --dhcp-authoritative".split(),
                "--dhcp-range=set:subnet-1,10.77.1.0,static,255.255.255.0,86400s",
            )
            relay.dnsmasq(1, BI, "--interface=br1", "--dhcp-relay=10.77.1.1,10.99.0.1")
            known.dnsmasq(1, BI, "--listen-address=10.77.1.1", "--dhcp-ignore=tag:!known")
            ever.dnsmasq(1, BD, "--interface=br1", lease="infinite")
            assert codes(*names) == set()
            for each in (host, neutron, relay, known, ever):
                each.stop()


def test_cost_on_fifty_namespaces(tmp_path: Path) -> None:
    made: list[Place] = []
    try:
        for number in range(50):
            folder = tmp_path / str(number)
            folder.mkdir()
            made.append(Place(f"hasock-{number}", folder))
            made[-1].bridge(1)
            made[-1].dnsmasq(1, BI, "--interface=br1")
        places = [each for each in netns.Places().by_inode.values() if each.name.startswith("hasock-")]
        assert len(places) == 50
        reader = DhcpReader(libvirt_uri="", proc_dir="/proc", run_dir="/nonexistent")
        sockets = [seconds(lambda: netns.read_namespaces(places)) for _ in range(20)]
        whole = [seconds(lambda: reader.read(time.monotonic() + 10)) for _ in range(20)]
        print(
            f"50 namespaces: sockets {statistics.median(sockets) * 1000:.1f} ms "
            f"(worst {max(sockets) * 1000:.1f}), with processes, configuration and leases "
            f"{statistics.median(whole) * 1000:.1f} ms"
        )
        assert min(sockets) < 0.020
    finally:
        for each in made:
            each.stop()
            run("ip", "netns", "del", each.name)


def seconds(call: Callable[[], object]) -> float:
    began = time.perf_counter()
    call()
    return time.perf_counter() - began
