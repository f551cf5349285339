"""The bytes of a dump → links, and the links of a network namespace as other programs see them."""

import ctypes
import errno
import os
import struct
import threading
from pathlib import Path

import pytest

from hostagent.model.ports import Link, Links
from hostagent.sources.netlink import NetlinkError, bodies
from hostagent.sources.rtnetlink import parse_links, read_links

NEWLINK, ERROR, DONE = 16, 2, 3


def attribute(kind: int, value: bytes) -> bytes:
    data = struct.pack("=HH", 4 + len(value), kind) + value
    return data + b"\0" * (-len(data) % 4)


def message(body: bytes, kind: int = NEWLINK, flags: int = 2) -> bytes:
    return struct.pack("=IHHII", 16 + len(body), kind, flags, 1, 0) + body


def link(name: str, index: int, *more: bytes, flags: int = 0x1043) -> bytes:
    head = struct.pack("=BxHiII", 0, 1, index, flags, 0)
    return message(head + attribute(3, name.encode() + b"\0") + b"".join(more))


def info(kind: str, tun_type: int | None = None) -> bytes:
    inside = attribute(1, kind.encode() + b"\0")
    if tun_type is not None:
        inside += attribute(2 | 0x8000, attribute(3, bytes([tun_type])))
    return attribute(18, inside)


def number(kind: int, value: int) -> bytes:
    return attribute(kind, struct.pack("=I", value))


MAC = attribute(1, bytes.fromhex("fe5400000001"))
END = message(struct.pack("=i", 0), DONE)


def parsed(dump: bytes) -> Links:
    whole = bodies(dump, NEWLINK)
    assert whole is not None
    return parse_links(whole)


def test_links() -> None:
    found = parsed(
        link("vnet0", 7, MAC, number(4, 1500), number(10, 3), info("tun", 2))
        + link("tun0", 8, info("tun", 1), flags=0x1090)
        + link("eth0", 2, number(4, 9000))
        + link("ovs-system", 3, info("openvswitch"))
        + link("old0", 9, info("tun"))
        + END
    ).by_name
    assert found["vnet0"] == Link(
        name="vnet0", ifindex=7, kind="tun", tap=True, master=3, up=True, mtu=1500, mac="fe:54:00:00:00:01"
    )
    assert (found["tun0"].tap, found["tun0"].up) == (False, False)
    assert (found["eth0"].kind, found["eth0"].mtu, found["eth0"].master) == ("", 9000, None)
    assert found["ovs-system"].kind == "openvswitch"
    assert not found["old0"].tap
    assert found["old0"].mac == ""


def test_a_list_that_changed_meanwhile_is_no_list() -> None:
    assert bodies(link("eth0", 2) + message(struct.pack("=i", 0), DONE, flags=0x12), NEWLINK) is None


def test_an_error_of_the_kernel() -> None:
    with pytest.raises(PermissionError):
        bodies(message(struct.pack("=i", -errno.EPERM) + b"\0" * 16, ERROR), NEWLINK)


@pytest.mark.parametrize(
    "dump",
    [
        link("eth0", 2)[:-4],
        struct.pack("=IHHII", 0, NEWLINK, 2, 1, 0),
        message(b"", 20),
        message(struct.pack("=BxHiII", 0, 1, 2, 0, 0) + struct.pack("=HH", 40, 3) + b"eth0"),
        message(struct.pack("=BxHiII", 0, 1, 2, 0, 0) + struct.pack("=HH", 0, 3) + b"eth0"),
    ],
)
def test_what_is_cut_short_or_unknown_is_refused(dump: bytes) -> None:
    with pytest.raises(NetlinkError):
        parsed(dump + END)


def test_this_host() -> None:
    before = names()
    found = read_links().by_name
    assert before & names() <= set(found)
    assert found["lo"].ifindex == 1


def names() -> set[str]:
    return {each.name for each in Path("/sys/class/net").iterdir() if each.is_dir()}


@pytest.mark.skipif(os.geteuid() != 0, reason="a network namespace needs root")
def test_pyroute2_sees_the_same() -> None:
    pyroute2 = pytest.importorskip("pyroute2")
    outcome: list[object] = []

    def compare() -> None:
        assert unshare_net() == 0
        with pyroute2.IPRoute() as route:
            route.link("add", ifname="br0", kind="bridge")
            for each in range(150):
                route.link("add", ifname=f"tap{each}", kind="tuntap", mode="tap")
            route.link("set", ifname="tap0", master=route.link_lookup(ifname="br0")[0], state="up", mtu=1400)
            theirs = {
                each.get_attr("IFLA_IFNAME"): (
                    each["index"],
                    each.get_attr("IFLA_MTU"),
                    each.get_attr("IFLA_ADDRESS"),
                    each.get_attr("IFLA_MASTER"),
                    bool(each["flags"] & 1),
                )
                for each in route.get_links()
            }
        ours = {
            each.name: (each.ifindex, each.mtu, each.mac, each.master, each.up)
            for each in read_links().by_name.values()
        }
        taps = {each.name for each in read_links().by_name.values() if each.tap}
        outcome.append(ours == theirs and len(taps) == 150)

    thread = threading.Thread(target=compare)
    thread.start()
    thread.join(60)
    assert outcome == [True]


def unshare_net() -> int:
    """Give the calling thread a network namespace of its own; it ends with the thread."""
    result: int = ctypes.CDLL(None).unshare(0x40000000)  # CLONE_NEWNET; os.unshare is Python 3.12's
    return result
