"""The kernel's links, by one dump of rtnetlink(7).

Not with pyroute2, whose import alone costs 16 MB and 0.1 s, and 0.3 ms a link (docs/adr/0008). Statistics
are left out of the answer, and a dump during which the kernel's list changed is asked for again.
"""

from __future__ import annotations

import os
import socket
import struct
from typing import TYPE_CHECKING

from hostagent.model.host import Trouble
from hostagent.model.ports import Link, Links
from hostagent.sources.deadline import ReadError

if TYPE_CHECKING:
    from collections.abc import Iterator

_IFF_UP = 0x1  # linux/if.h
_TAP = 2  # IFF_TAP of linux/if_tun.h, in IFLA_TUN_TYPE; a tun device is 1

_RTM_NEWLINK, _RTM_GETLINK = 16, 18  # linux/rtnetlink.h
_REQUEST_DUMP = 0x1 | 0x300  # NLM_F_REQUEST, NLM_F_DUMP of linux/netlink.h
_INTERRUPTED = 0x10  # NLM_F_DUMP_INTR
_ERROR, _DONE = 2, 3  # NLMSG_ERROR, NLMSG_DONE
_TYPE_MASK = 0x3FFF  # without NLA_F_NESTED and NLA_F_NET_BYTEORDER
# linux/if_link.h
_ADDRESS, _IFNAME, _MTU, _MASTER, _LINKINFO, _EXT_MASK = 1, 3, 4, 10, 18, 29
_SKIP_STATS = 1 << 3  # RTEXT_FILTER_SKIP_STATS
_INFO_KIND, _INFO_DATA, _TUN_TYPE = 1, 2, 3

_HEADER = struct.Struct("=IHHII")  # nlmsghdr: length, type, flags, sequence, port
_LINK = struct.Struct("=BxHiII")  # ifinfomsg: family, type, index, flags, change
_ATTRIBUTE = struct.Struct("=HH")  # nlattr: length, type
_BIGGEST = 1 << 18  # bytes of one datagram; the kernel fills at most 32 KiB
_TRIES = 5


class DumpError(ValueError):
    """The dump can't be understood, or the list kept changing."""


def read_links() -> Links:
    """All links of this network namespace.

    Raises:
        ReadError: with its trouble.
    """
    try:
        for _ in range(_TRIES):
            links = parse_links(_dump())
            if links is not None:
                return links
        raise DumpError("links are made or removed faster than they can be listed")
    except PermissionError as error:
        raise ReadError(
            Trouble.DENIED, f"rtnetlink: {error} (is AF_NETLINK allowed in this unit?)"
        ) from error
    except (OSError, ValueError, struct.error) as error:
        raise ReadError(Trouble.INVALID, f"rtnetlink can't be read: {error} (ip -d link)") from error


def parse_links(dump: bytes) -> Links | None:
    """The messages of a dump → links by name; None if the kernel says that the list changed meanwhile.

    Raises:
        DumpError: a message is cut short, of another type, or the kernel's error.
    """
    found: dict[str, Link] = {}
    at = 0
    while at < len(dump):
        length, kind, flags, _, _ = _HEADER.unpack_from(dump, at)
        if length < _HEADER.size or at + length > len(dump):
            raise DumpError(f"a message of {length} bytes is cut short")
        if flags & _INTERRUPTED:
            return None
        if kind == _ERROR:
            number = -struct.unpack_from("=i", dump, at + _HEADER.size)[0]
            raise OSError(number, os.strerror(number))
        if kind == _RTM_NEWLINK:
            link = _link(dump, at + _HEADER.size, at + length)
            found[link.name] = link
        elif kind != _DONE:
            raise DumpError(f"a message of type {kind}")
        at += length + 3 & ~3
    return Links(by_name=found)


def _dump() -> bytes:
    """The kernel's answer to RTM_GETLINK, up to NLMSG_DONE or an error."""
    body = _LINK.pack(socket.AF_UNSPEC, 0, 0, 0, 0)
    body += _ATTRIBUTE.pack(8, _EXT_MASK) + struct.pack("=I", _SKIP_STATS)
    request = _HEADER.pack(_HEADER.size + len(body), _RTM_GETLINK, _REQUEST_DUMP, 1, 0) + body
    received = bytearray()
    kind = socket.SOCK_RAW | socket.SOCK_CLOEXEC
    with socket.socket(socket.AF_NETLINK, kind, socket.NETLINK_ROUTE) as route:
        route.bind((0, 0))
        route.send(request)
        while True:
            datagram = route.recv(_BIGGEST)
            received += datagram
            if _ends(datagram):
                return bytes(received)


def _ends(datagram: bytes) -> bool:
    """Whether NLMSG_DONE or NLMSG_ERROR is in it, which is its last message."""
    at = 0
    while at + _HEADER.size <= len(datagram):
        length, kind, _, _, _ = _HEADER.unpack_from(datagram, at)
        if kind in {_DONE, _ERROR}:
            return True
        if length < _HEADER.size:
            raise DumpError(f"a message of {length} bytes")
        at += length + 3 & ~3
    return not datagram


def _link(dump: bytes, at: int, end: int) -> Link:
    _, _, index, flags, _ = _LINK.unpack_from(dump, at)
    found = dict(_attributes(dump, at + _LINK.size, end))
    info = dict(_attributes(found.get(_LINKINFO, b"")))
    kind = _text(info.get(_INFO_KIND, b""))
    tun_type = dict(_attributes(info.get(_INFO_DATA, b""))).get(_TUN_TYPE) if kind == "tun" else None
    return Link(
        name=_text(found.get(_IFNAME, b"")),
        ifindex=index,
        kind=kind,
        tap=tun_type is not None and tun_type[0] == _TAP,
        master=_number(found.get(_MASTER)) or None,
        up=bool(flags & _IFF_UP),
        mtu=_number(found.get(_MTU)),
        mac=found.get(_ADDRESS, b"").hex(":"),
    )


def _attributes(data: bytes, at: int = 0, end: int | None = None) -> Iterator[tuple[int, bytes]]:
    """Type and payload of each nlattr between two offsets."""
    stop = len(data) if end is None else end
    while at + _ATTRIBUTE.size <= stop:
        length, kind = _ATTRIBUTE.unpack_from(data, at)
        if length < _ATTRIBUTE.size or at + length > stop:
            raise DumpError(f"an attribute of {length} bytes is cut short")
        yield kind & _TYPE_MASK, data[at + _ATTRIBUTE.size : at + length]
        at += length + 3 & ~3


def _text(value: bytes) -> str:
    return value.rstrip(b"\0").decode(errors="surrogateescape")


def _number(value: bytes | None) -> int:
    return 0 if value is None else int(struct.unpack("=I", value)[0])
