"""udp_diag and rtnetlink against this kernel: what is asked for is what comes back."""

import os
import socket

import pytest

from hostagent.model.dhcp import HOST
from hostagent.sources.dhcp import netns
from hostagent.sources.dhcp.udp_diag import parse_udp, read_udp
from hostagent.sources.netlink import NetlinkError, attributes, messages


def test_sockets_of_this_process() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.bind(("127.0.0.1", 0))
        port = one.getsockname()[1]
        (found,) = read_udp(port)
        assert (found.inode, found.ifindex, found.address) == (os.fstat(one.fileno()).st_ino, 0, "127.0.0.1")
        assert found.queue == 0
        one.sendto(b"x" * 100, ("127.0.0.1", port))
        (found,) = read_udp(port)
        assert found.queue >= 100
        one.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"lo")
        (found,) = read_udp(port)
        assert found.ifindex == socket.if_nametoindex("lo")


def test_any_address() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.bind(("", 0))
        (found,) = read_udp(one.getsockname()[1])
        assert found.address == ""


def test_links_of_this_namespace() -> None:
    links = {each.ifindex: each.name for each in netns.read_links()}
    assert links == dict(socket.if_nameindex())
    (lo,) = (each for each in netns.read_links() if each.name == "lo")
    assert "127.0.0.1/8" in lo.addresses


def test_host_is_read_without_entering() -> None:
    (found,) = netns.read_namespaces([netns.Place(key=HOST, name="host", inode=1)])
    assert found.unread == ""
    assert found.link("lo") is not None


def test_namespace_that_is_gone() -> None:
    (found,) = netns.read_namespaces([netns.Place(key="/run/netns/hostagent-none", name="none", inode=1)])
    assert found.unread == "network namespace none: it is gone"
    with pytest.raises(OSError, match="hostagent-none"):
        netns.inside("/run/netns/hostagent-none", read_udp)


def test_of_process_is_the_hosts() -> None:
    place = netns.Places().of_process(os.getpid())
    assert place is not None
    assert (place.key, place.name) == (HOST, "host")


def test_cut_messages() -> None:
    with pytest.raises(OSError, match="71 bytes"):
        parse_udp(bytes(71))
    with pytest.raises(NetlinkError):
        list(messages(b"\x05\0\0\0" + bytes(12)))
    with pytest.raises(NetlinkError):
        attributes(b"\x03\0\x01\0")
    assert attributes(b"\x08\0\x01\x80abcd") == {1: b"abcd"}
