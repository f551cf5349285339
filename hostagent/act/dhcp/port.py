"""A probe's port in a guests' network: one link there, its end in a network namespace of the probe's own.

That namespace has no process and no name: it lives as long as the packet socket in it. However the process
ends, the kernel then takes the namespace, the end in it and so the whole veth pair away.
"""

from __future__ import annotations

import hashlib
import os
import socket
import threading
from contextlib import ExitStack, contextmanager
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from typing import TYPE_CHECKING

from hostagent.act import lock
from hostagent.act.dhcp import bpf, links, ovs
from hostagent.act.dhcp.lock import alone
from hostagent.act.dhcp.namespace import handle, inside, leave_to_a_new_one
from hostagent.errors import ActError
from hostagent.model.dhcp import HOST

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hostagent.config import Settings
    from hostagent.model.dhcp import ProbeTarget

LINUX_BRIDGE, OVS_BRIDGE = "linux-bridge", "ovs-bridge"
_RECEIVE_BYTES = 1 << 18
_EVERY_PROTOCOL = 0x0003  # ETH_P_ALL
_MACHINE_ID = "/etc/machine-id"  # machine-id(5)
_NAMED = Path("/run/netns")  # ip-netns(8)


class NoPortError(ActError):
    """This network can't have a probe's port, for the reason said: no fault of DHCP."""


@contextmanager
def probe_port(target: ProbeTarget, settings: Settings) -> Iterator[tuple[socket.socket, str]]:
    """A packet socket on a port of the target's network, and the port's MAC; the port goes with the block.

    Raises:
        NoPortError: the network has no bridge to put it on, or would not be as before afterwards.
        RefusedError: the stop file exists, or another probe goes on.
        ActError: the kernel or OVSDB refuses.
        SourceError: OVSDB can't be reached.
    """
    lock.refuse_if_stopped(settings)
    if IPv4Address(target.server) not in IPv4Network(target.prefix, strict=False):
        raise NoPortError(f"{target.server} is behind a relay or router, not in {target.prefix}")
    name, mac = links.own_name(), mac_of(target.network)
    with alone(settings):
        if target.kind == OVS_BRIDGE:
            with ovs.internal_port(target.link, name, mac, target.vlan, settings):
                opened = inside(HOST, lambda: _taken_over(name))
                with opened:
                    yield opened, mac
        elif target.kind == LINUX_BRIDGE:
            opened = inside(target.namespace, lambda: _plugged(target, name, mac))
            try:
                yield opened, mac
            finally:
                # Each waits 10 to 20 ms for the kernel's RCU: side by side.
                closing = threading.Thread(target=opened.close)
                closing.start()
                inside(target.namespace, lambda: _unplugged(name))
                closing.join()
        else:
            raise NoPortError(f"{target.link} is no bridge: a probe's port can't be put beside its guests")


def remove_leftovers(settings: Settings) -> int:
    """Remove what probes of ended processes have left on this host; how many ports that were.

    Raises:
        RefusedError: the stop file exists, or a probe goes on now.
        ActError: the kernel or OVSDB refuses; a namespace that has gone meanwhile is none of it.
    """
    lock.refuse_if_stopped(settings)
    with alone(settings):
        removed = ovs.remove_leftovers(settings) if Path(settings.sources.ovsdb_socket).exists() else 0
        named = sorted(str(each) for each in _NAMED.iterdir()) if _NAMED.is_dir() else []
        for namespace in (HOST, *named):
            try:
                removed += inside(namespace, _swept)
            except ActError:
                if namespace == HOST or Path(namespace).exists():
                    raise
        return removed


def mac_of(network: str) -> str:
    """A locally administered MAC, the same for ever on this host and network, another on every other.

    Raises:
        ActError: this host has no machine id to make it of.
    """
    try:
        machine = Path(_MACHINE_ID).read_bytes().strip()
    except OSError as error:
        raise ActError(f"{_MACHINE_ID} can't be read: {error.strerror} (systemd-machine-id-setup)") from error
    digest = hashlib.sha256(b"hostagent dhcp\0%s\0%s" % (machine, network.encode())).digest()
    return "02:" + digest[:5].hex(":")


def _plugged(target: ProbeTarget, name: str, mac: str) -> socket.socket:
    bridge_namespace = handle("/proc/thread-self/ns/net")
    try:
        with links.route() as there:
            bridge = links.find(there, target.link)
            if bridge is None:
                raise ActError(f"there is no bridge {target.link} in {target.namespace or 'this namespace'}")
            if not links.keeps_its_mac(bridge):
                raise NoPortError(f"{target.link} has no port yet and would take the probe's MAC for its own")
            links.delete(there, name)  # of an ended process that had this pid
            leave_to_a_new_one()
            with links.route() as here:
                mtu = int(bridge.get_attr("IFLA_MTU"))  # a smaller one would become the bridge's
                links.make_pair(here, name, mac, mtu=mtu, bridge_namespace=bridge_namespace)
                with ExitStack() as held:
                    opened = held.enter_context(_listening())
                    _up(here, name, opened)  # first: a port without a carrier does not forward
                    links.join(there, name, target.link)
                    held.pop_all()
                    return opened
    finally:
        os.close(bridge_namespace)


def _taken_over(name: str) -> socket.socket:
    with links.route() as there:
        index = links.wait_for(there, name)
        leave_to_a_new_one()
        own = handle("/proc/thread-self/ns/net")
        try:
            there.link("set", index=index, net_ns_fd=own)
        finally:
            os.close(own)
        with ExitStack() as held, links.route() as here:
            opened = held.enter_context(_listening())
            _up(here, name, opened)
            held.pop_all()
            return opened


def _unplugged(name: str) -> bool:
    with links.route() as there:
        return links.delete(there, name)


def _swept() -> int:
    with links.route() as there:
        return sum(links.delete(there, name) for name in links.leftovers(there))


def _listening() -> socket.socket:
    """A packet socket that receives nothing yet."""
    opened = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BYTES)
    bpf.attach(opened, bpf.answers())
    return opened


def _up(here: links.Untyped, name: str, opened: socket.socket) -> None:
    links.bring_up(here, name)
    opened.bind((name, _EVERY_PROTOCOL))
