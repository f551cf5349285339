"""Probe ports as links: made, brought up and deleted with rtnetlink(7), in the calling thread's namespace."""

from __future__ import annotations

import errno
import os
import time
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from hostagent.errors import ActError

if TYPE_CHECKING:
    from collections.abc import Iterator

Untyped: TypeAlias = Any  # pyroute2 has no types
PREFIX = "hadhcp"
_ALIAS = "hostagent dhcp probe"
_FORWARDING = 3  # BR_STATE_FORWARDING, linux/if_bridge.h
_FORWARDING_SECONDS = 5.0
_AGAIN_SECONDS = 0.002
# A bridge takes the lowest MAC among its ports as its own. libvirt's taps begin with fe as well.
_HIGH_MAC = "fe:ff:ff"
# Without it the kernel would give the link an IPv6 address and speak on the guests' network.
_NO_IPV6 = {"attrs": [("AF_INET6", {"attrs": [("IFLA_INET6_ADDR_GEN_MODE", 1)]})]}


@contextmanager
def route() -> Iterator[Untyped]:
    """pyroute2's IPRoute in this thread's namespace.

    Raises:
        ActError: in place of what the kernel refuses.
    """
    pyroute2 = import_module("pyroute2")  # 0.13 s, and most runs probe nothing
    try:
        with pyroute2.IPRoute() as opened:
            yield opened
    except _netlink_error() as error:
        raise ActError(f"the kernel refuses a probe port: {error}") from error


def own_name() -> str:
    """The name of this process's probe port: it makes one at a time."""
    return f"{PREFIX}{os.getpid():x}"


def find(opened: Untyped, name: str) -> Untyped | None:
    """The link's message; None if there is none."""
    return next((each for each in opened.get_links() if each.get_attr("IFLA_IFNAME") == name), None)


def wait_for(opened: Untyped, name: str) -> int:
    """The index of a link that vswitchd is about to make."""
    ends = time.monotonic() + _FORWARDING_SECONDS
    while (link := find(opened, name)) is None:
        if time.monotonic() >= ends:
            raise ActError(f"ovs-vswitchd has made no link {name} (ovs-vsctl get Interface {name} error)")
        time.sleep(_AGAIN_SECONDS)
    return int(link["index"])


def make_pair(opened: Untyped, name: str, mac: str, *, mtu: int, bridge_namespace: int) -> None:
    """A veth pair: ``name`` here with ``mac``, ``name`` in the bridge's namespace. They vanish together."""
    peer = {"ifname": name, "net_ns_fd": bridge_namespace, "address": _HIGH_MAC + mac[8:], "mtu": mtu}
    opened.link("add", ifname=name, kind="veth", address=mac, mtu=mtu, peer=peer)


def join(opened: Untyped, name: str, bridge: str) -> None:
    """Make ``name`` a port of the bridge, and wait until it forwards."""
    master = find(opened, bridge)
    if master is None:
        raise ActError(f"there is no bridge {bridge}")
    link = find(opened, name)
    if link is None:
        raise ActError(f"probe port {name} vanished while it was made")
    index = link["index"]
    opened.link("set", index=index, IFLA_IFALIAS=_ALIAS, IFLA_AF_SPEC=_NO_IPV6)
    opened.link("set", index=index, master=master["index"])
    opened.link("set", index=index, state="up")
    ends = time.monotonic() + _FORWARDING_SECONDS
    while not _forwards(opened, index):
        if time.monotonic() >= ends:
            raise ActError(f"bridge {bridge} does not let its new port forward (a long STP forward delay?)")
        time.sleep(_AGAIN_SECONDS)


def bring_up(opened: Untyped, name: str) -> None:
    """Up, without IPv6. ``name`` is in this thread's namespace."""
    link = find(opened, name)
    if link is None:
        raise ActError(f"probe port {name} vanished while it was made")
    opened.link("set", index=link["index"], IFLA_IFALIAS=_ALIAS, IFLA_AF_SPEC=_NO_IPV6)
    opened.link("set", index=link["index"], state="up")


def delete(opened: Untyped, name: str) -> bool:
    """Delete the link if it is a probe's; whether there was one."""
    link = find(opened, name)
    if link is None:
        return False
    try:
        opened.link("del", index=link["index"])
    except _netlink_error() as error:
        if error.code != errno.ENODEV:  # its namespace ends this very moment and takes it away
            raise
    return True


def leftovers(opened: Untyped) -> list[str]:
    """The names of veth links in this namespace that a probe has made whose process has ended."""
    return [
        name
        for each in opened.get_links()
        if (name := str(each.get_attr("IFLA_IFNAME"))).startswith(PREFIX)
        and _kind(each) == "veth"
        and not _lives(name)
    ]


def keeps_its_mac(bridge: Untyped) -> bool:
    """Whether a port that comes and goes leaves the bridge's MAC alone.

    A bridge that nobody gave a MAC and that has no port would take the probe's, and lose it with it: it has
    an empty bridge id then (br_stp_recalculate_bridge_id() in net/bridge/br_stp_if.c).
    """
    data = bridge.get_attr("IFLA_LINKINFO").get_attr("IFLA_INFO_DATA")
    identity = None if data is None else data.get_attr("IFLA_BR_BRIDGE_ID")
    return identity is None or set(identity["addr"]) != {"0", ":"}


def _lives(name: str) -> bool:
    """Whether the process that a probe port is named after runs."""
    try:
        return Path("/proc", str(int(name.removeprefix(PREFIX), 16))).exists()
    except ValueError:
        return False


def _netlink_error() -> type[Untyped]:
    found: type[Untyped] = import_module("pyroute2.netlink.exceptions").NetlinkError
    return found


def _forwards(opened: Untyped, index: int) -> bool:
    port = next(iter(opened.get_links(index)), None)
    info = None if port is None else port.get_attr("IFLA_LINKINFO")
    data = None if info is None else info.get_attr("IFLA_INFO_SLAVE_DATA")
    return data is not None and data.get_attr("IFLA_BRPORT_STATE") == _FORWARDING


def _kind(link: Untyped) -> str:
    info = link.get_attr("IFLA_LINKINFO")
    return "" if info is None else str(info.get_attr("IFLA_INFO_KIND"))
