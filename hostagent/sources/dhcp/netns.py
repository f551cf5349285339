"""Network namespaces: which there are, what is in one, and doing something inside one.

A thread enters with setns(2) and is thrown away after it, so that no other ever finds itself in another
network. No socket is kept in a namespace: it would keep the namespace and its devices from going away.
"""

from __future__ import annotations

import ctypes
import os
import socket
import sys
import threading
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from hostagent.model.dhcp import HOST, DhcpLink, Namespace
from hostagent.model.host import Trouble
from hostagent.sources.deadline import Call, ReadError
from hostagent.sources.dhcp.udp_diag import read_udp
from hostagent.sources.netlink import ROUTE, attributes, dump
from hostagent.sources.rtnetlink import dump_links

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

T = TypeVar("T")

NAMED = "/run/netns"
_NEWNET = 0x40000000  # CLONE_NEWNET of linux/sched.h
# linux/rtnetlink.h, linux/if_addr.h
_NEWADDR, _GETADDR = 20, 22  # RTM_NEWADDR, RTM_GETADDR
_LOCAL = 2  # IFA_LOCAL
_ADDRESS_BODY = 8  # bytes of struct ifaddrmsg
_LIBC = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A network namespace by the path to enter it, and by what tells it from others."""

    key: str
    name: str
    inode: int


class Places:
    """The host's own network namespace and the named ones, by inode; others as they are asked for."""

    def __init__(self, proc_dir: str = "/proc", named_dir: str = NAMED) -> None:
        self._proc_dir = proc_dir
        try:
            own = Path(proc_dir, "self/ns/net").stat().st_ino
        except OSError as error:
            raise ReadError(Trouble.INVALID, f"the own network namespace can't be read: {error}") from error
        self.by_inode = {own: Place(key=HOST, name="host", inode=own)}
        try:
            entries = sorted(os.scandir(named_dir), key=lambda each: each.name)
        except OSError:  # nobody has made a named one
            entries = []
        for entry in entries:
            try:
                inode = Path(entry.path).stat().st_ino
            except OSError:  # gone meanwhile
                continue
            self.by_inode.setdefault(inode, Place(key=entry.path, name=entry.name, inode=inode))

    def named(self, name: str) -> Place | None:
        """The namespace of this name."""
        return next((each for each in self.by_inode.values() if each.name == name and each.key), None)

    def of_process(self, pid: int) -> Place | None:
        """The network namespace of a process; None if it is a container's own, which is not the host's.

        Raises:
            OSError: the process has ended, or may not be looked at.
        """
        folder = Path(self._proc_dir, str(pid), "ns")
        inode = (folder / "net").stat().st_ino
        known = self.by_inode.get(inode)
        if known is None:
            if (folder / "pid").stat().st_ino != Path(self._proc_dir, "self/ns/pid").stat().st_ino:
                return None
            known = Place(key=f"{folder}/net", name=f"netns-{inode}", inode=inode)
            self.by_inode[inode] = known
        return known


def inside(key: str, function: Callable[[], T]) -> T:
    """Call ``function`` in the namespace of ``key``, in a thread of its own.

    Raises:
        OSError: the namespace can't be entered, or what the function raises.
    """

    def run() -> T:
        _enter(key)
        return function()

    call = Call(run)
    thread = threading.Thread(target=call.run, name=f"netns {key}", daemon=True)
    thread.start()
    thread.join()
    return call.take()


def read_namespaces(places: Iterable[Place]) -> list[Namespace]:
    """Links and port 67 of each, read one after another in one thread that is thrown away after it."""

    def read() -> list[Namespace]:
        host_first = sorted(places, key=lambda each: each.key)
        return [_read(place) for place in host_first]

    return inside(HOST, read)


def queues(key: str) -> frozenset[int]:
    """The inodes of a namespace's sockets on port 67 in which something waits now.

    Raises:
        OSError: as ``inside``.
    """
    return frozenset(each.inode for each in inside(key, read_udp) if each.queue)


def read_links() -> tuple[DhcpLink, ...]:
    """The links of this thread's network namespace with their IPv4 addresses.

    Raises:
        OSError: as the kernel says it.
    """
    found = {
        each.ifindex: DhcpLink(name=each.name, ifindex=each.ifindex, kind=each.kind, master=each.master)
        for each in dump_links().by_name.values()
    }
    question = bytes([socket.AF_INET]) + bytes(_ADDRESS_BODY - 1)
    for message in dump(ROUTE, _GETADDR, question, answer=_NEWADDR):
        index, local = _native(message[4:8]), attributes(message[_ADDRESS_BODY:]).get(_LOCAL, b"")
        if index in found and len(local) == 4:
            address = f"{'.'.join(map(str, local))}/{message[1]}"
            found[index] = replace(found[index], addresses=(*found[index].addresses, address))
    return tuple(found.values())


def _read(place: Place) -> Namespace:
    try:
        _enter(place.key)
        links, sockets = read_links(), read_udp()
    except PermissionError:
        unread = f"network namespace {place.name} can't be entered: run as root, with CAP_SYS_ADMIN"
    except FileNotFoundError as error:
        gone = error.filename is not None
        unread = "it is gone" if gone else "the kernel does not tell of UDP sockets (modprobe udp_diag)"
        unread = f"network namespace {place.name}: {unread}"
    except OSError as error:
        unread = f"network namespace {place.name} can't be read: {error}"
    else:
        return Namespace(key=place.key, name=place.name, inode=place.inode, links=links, sockets=sockets)
    return Namespace(key=place.key, name=place.name, inode=place.inode, unread=unread)


def _enter(key: str) -> None:
    """Put this new thread into a namespace. Every thread begins in the host's and never goes back to it."""
    if key == HOST:
        return
    with open(key, "rb") as file:  # noqa: PTH123  a descriptor is what is wanted
        if _LIBC.setns(file.fileno(), _NEWNET) != 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))


def _native(data: bytes) -> int:
    return int.from_bytes(data[:4], sys.byteorder)
