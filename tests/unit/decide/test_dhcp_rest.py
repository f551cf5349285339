"""Networks, leases, expected servers and targets, without any host."""

from dataclasses import replace
from typing import Any

import pytest

from hostagent.decide.dhcp import judge, networks, targets
from hostagent.decide.dhcp.networks import may_use
from hostagent.health.case import parse_host
from hostagent.model.dhcp import (
    HOST,
    DhcpRange,
    Expected,
    Keeper,
    Lease,
    Server,
)
from tests.unit.decide.dhcp_data import GONE, LINK, MAC, NOW, SERVER, codes, dhcp


@pytest.mark.parametrize(
    ("fields", "name", "address", "expected"),
    [
        ({}, "br1", "10.1.0.1", True),
        ({}, "lo", "127.0.0.1", False),
        ({"interfaces": ("br1",)}, "br1", "10.1.0.1", True),
        ({"interfaces": ("br1",)}, "br2", "10.1.0.1", False),
        ({"interfaces": ("br*",)}, "br2", "10.1.0.1", True),
        ({"listen": ("10.1.0.1",)}, "br2", "10.1.0.1", True),
        ({"listen": ("10.1.0.1",)}, "br2", "10.1.0.2", False),
        ({"listen": ("10.1.0.1",), "interfaces": ("br1",)}, "br1", "10.2.0.1", True),
        ({"except_interfaces": ("br1",)}, "br1", "10.1.0.1", False),
        ({"except_interfaces": ("br1",), "listen": ("10.1.0.1",)}, "br1", "10.1.0.1", True),
        ({"no_dhcp_interfaces": ("br1",)}, "br1", "10.1.0.1", False),
    ],
)
def test_may_use(fields: dict[str, Any], name: str, address: str, expected: bool) -> None:  # noqa: FBT001  a table
    assert may_use(Server(pid=1, namespace=HOST, **fields), name, address) is expected


def test_names() -> None:
    (network,) = networks(dhcp())
    assert (network.id, network.prefix) == ("br1/10.77.1.1", "10.77.1.0/24")
    (network,) = networks(dhcp(replace(SERVER, namespace="/run/netns/lan")))
    assert network.id == "lan:br1/10.77.1.1"
    (network,) = networks(dhcp(replace(SERVER, network="default", keeper=Keeper.LIBVIRT)))
    assert network.id == "default/10.77.1.1"
    assert networks(dhcp(link=replace(LINK, addresses=("10.9.0.1/24",)))) == ()
    wide = replace(SERVER, ranges=(DhcpRange(first="10.77.9.1", netmask="255.255.0.0"),))
    assert len(networks(dhcp(wide))) == 1


GUEST = f'[[domain]]\nname = "alice"\n[[domain.interface]]\nbridge = "br1"\nmac = "{MAC}"\n'


@pytest.mark.parametrize(
    ("left", "host", "expected"),
    [
        (1000, GUEST, ""),
        (410, GUEST, ""),
        (390, GUEST, "warn"),
        (130, GUEST, "warn"),
        (120, GUEST, "crit"),
        (-5, GUEST, "crit"),
        (None, GUEST, ""),
        (-5, "", ""),
        (-5, GUEST.replace('"alice"\n', '"alice"\nstate = "paused"\n'), ""),
        (-5, GUEST.replace('"alice"\n', '"alice"\nlive = false\n'), ""),
        (-5, GUEST.replace("br1", "br2"), ""),
        (-5, GUEST + "link_up = false\n", ""),
        (-5, GUEST.replace(MAC, "52:54:00:00:00:99"), ""),
    ],
)
def test_lease(left: float | None, host: str, expected: str) -> None:
    expires = None if left is None else NOW + left
    lease = Lease(address="10.77.1.60", mac=MAC, expires=expires, pid=11)
    assert codes(dhcp(leases=(lease,)), host) == ({"LEASE_OVERDUE": expected} if expected else {})


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"host_seconds": {MAC: None}}, ""),
        ({"host_seconds": {MAC: 500}}, ""),
        ({"host_seconds": {MAC: 10_000}}, "crit"),
        ({"ranges": (DhcpRange(first="10.77.1.0", static=True, lease_seconds=500),)}, ""),
        ({"ranges": (DhcpRange(first="10.77.1.0", static=True, lease_seconds=None),)}, ""),
        (
            {"ranges": (DhcpRange(first="10.77.1.1", last="10.77.1.9", lease_seconds=1), *SERVER.ranges)},
            "warn",
        ),
    ],
)
def test_length_of_a_lease(fields: dict[str, Any], expected: str) -> None:
    lease = Lease(address="10.77.1.60", mac=MAC, expires=NOW + 300, pid=11)
    found = codes(dhcp(replace(SERVER, **fields), leases=(lease,)), GUEST)
    assert found == ({"LEASE_OVERDUE": expected} if expected else {})


@pytest.mark.parametrize(
    ("expected", "severity"),
    [
        (Expected(network="default", keeper=Keeper.LIBVIRT, link="virbr0"), "crit"),
        (Expected(network="default", keeper=Keeper.LIBVIRT, link="virbr0", active=False), "warn"),
        (Expected(network="br1", keeper=Keeper.LIBVIRT, link="br1"), ""),
        (
            Expected(network="incusbr0", keeper=Keeper.INCUS, link="incusbr0"),
            "",
        ),  # not yet there after a boot
        (Expected(network="br1", keeper=Keeper.INCUS, link="br1"), ""),
    ],
)
def test_expected(expected: Expected, severity: str) -> None:
    assert codes(dhcp(expected=(expected,))) == ({"SERVER_MISSING": severity} if severity else {})


def test_kept_network_without_its_server() -> None:
    gone = Expected(network="incusbr0", keeper=Keeper.INCUS, link="br1")
    assert codes(replace(dhcp(expected=(gone,)), servers=())) == {"SERVER_MISSING": "crit"}


def test_what_could_not_be_read_is_unknown() -> None:
    seen = dhcp()
    blind = replace(seen, namespaces=(replace(seen.namespaces[0], unread="can't be entered"),))
    assert judge(blind, GONE, NOW).unknown["DHCP_SOCKET_UNBOUND"] == "can't be entered"
    assert judge(blind, GONE, NOW).findings == ()
    assert judge(dhcp(unread=("libvirt's networks hang",)), GONE, NOW).unknown == {
        "DHCP_SERVER_MISSING": "libvirt's networks hang"
    }
    half = replace(SERVER, unread="/etc/x can't be read")
    assert judge(dhcp(half), GONE, NOW).unknown == {"DHCP_LEASE_OVERDUE": "process 11: /etc/x can't be read"}


def test_targets_by_kind_of_link() -> None:
    bare = parse_host("")
    (target,) = targets(dhcp(), bare.ovs, bare.links)
    assert (target.namespace, target.link, target.kind, target.vlan) == (HOST, "br1", "linux-bridge", None)
    inner = replace(SERVER, namespace="/run/netns/qdhcp-1", interfaces=())
    tap = replace(LINK, name="tap1", kind="openvswitch")
    snapshot = parse_host('[[port]]\nname = "tap1"\ntag = 7\ntype = "internal"\n')
    (target,) = targets(dhcp(inner, tap), snapshot.ovs, snapshot.links)
    assert (target.namespace, target.link, target.kind, target.vlan) == (HOST, "br-int", "ovs-bridge", 7)
    (target,) = targets(dhcp(inner, tap), GONE, GONE)
    assert (target.namespace, target.link, target.kind) == ("/run/netns/qdhcp-1", "tap1", "device")
    veth = replace(LINK, name="ns-1", kind="veth")
    bridged = parse_host(
        '[[link]]\nname = "brq1"\nifindex = 9\n[[link]]\nname = "tap1"\nifindex = 8\nmaster = 9\n'
    )
    (target,) = targets(dhcp(inner, veth), bridged.ovs, bridged.links)
    assert (target.namespace, target.link, target.kind) == (HOST, "brq1", "linux-bridge")


def test_addresses_to_avoid() -> None:
    lease = Lease(address="10.77.1.200", mac=MAC, expires=None, pid=11)
    busy = replace(SERVER, hosts=frozenset({"10.77.1.9", "10.99.0.1"}))
    (target,) = targets(dhcp(busy, leases=(lease,)), GONE, GONE)
    wanted = {"10.77.1.200", "10.77.1.9", "10.77.1.1", "10.77.1.0", "10.77.1.255"}
    assert target.avoid == wanted | {f"10.77.1.{number}" for number in range(50, 100)}
    full = replace(SERVER, ranges=(DhcpRange(first="10.77.1.2", last="10.77.1.254"),))
    (target,) = targets(dhcp(full), GONE, GONE)
    assert target.avoid == {"10.77.1.0", "10.77.1.1", "10.77.1.255"}
    assert (target.server, target.prefix, target.server_pid) == ("10.77.1.1", "10.77.1.0/24", 11)
