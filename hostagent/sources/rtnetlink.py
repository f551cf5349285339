"""The kernel's links, by one dump of rtnetlink(7).

Not with pyroute2, whose import alone costs 16 MB and 0.1 s, and 0.3 ms a link (docs/adr/0008). Statistics
are left out of the answer.
"""

from __future__ import annotations

import socket
import struct
from typing import TYPE_CHECKING

from hostagent.model.host import Trouble
from hostagent.model.ports import Link, Links
from hostagent.sources.deadline import ReadError
from hostagent.sources.netlink import ROUTE, NetlinkError, attributes, dump

if TYPE_CHECKING:
    from collections.abc import Iterable

_IFF_UP = 0x1  # linux/if.h
_TAP = 2  # IFF_TAP of linux/if_tun.h, in IFLA_TUN_TYPE; a tun device is 1

_NEWLINK, _GETLINK = 16, 18  # RTM_NEWLINK, RTM_GETLINK of linux/rtnetlink.h
# linux/if_link.h
_ADDRESS, _IFNAME, _MTU, _MASTER, _LINKINFO, _EXT_MASK = 1, 3, 4, 10, 18, 29
_SKIP_STATS = 1 << 3  # RTEXT_FILTER_SKIP_STATS
_INFO_KIND, _INFO_DATA, _TUN_TYPE = 1, 2, 3

_LINK = struct.Struct("=BxHiII")  # ifinfomsg: family, type, index, flags, change
_QUESTION = _LINK.pack(socket.AF_UNSPEC, 0, 0, 0, 0) + struct.pack("=HHI", 8, _EXT_MASK, _SKIP_STATS)


def read_links() -> Links:
    """All links of this network namespace.

    Raises:
        ReadError: with its trouble.
    """
    try:
        return dump_links()
    except PermissionError as error:
        raise ReadError(
            Trouble.DENIED, f"rtnetlink: {error} (is AF_NETLINK allowed in this unit?)"
        ) from error
    except (OSError, ValueError) as error:
        raise ReadError(Trouble.INVALID, f"rtnetlink can't be read: {error} (ip -d link)") from error


def dump_links() -> Links:
    """All links of this thread's network namespace.

    Raises:
        OSError: as the kernel says it; NetlinkError.
    """
    return parse_links(dump(ROUTE, _GETLINK, _QUESTION, answer=_NEWLINK))


def parse_links(messages: Iterable[bytes]) -> Links:
    """RTM_NEWLINK messages without their headers → links by name.

    Raises:
        NetlinkError: one is cut short.
    """
    try:
        links = [_link(message) for message in messages]
    except struct.error as error:
        raise NetlinkError(f"a link's message: {error}") from error
    return Links(by_name={link.name: link for link in links})


def _link(message: bytes) -> Link:
    _, _, index, flags, _ = _LINK.unpack_from(message)
    found = attributes(message[_LINK.size :])
    info = attributes(found.get(_LINKINFO, b""))
    kind = _text(info.get(_INFO_KIND, b""))
    tun_type = attributes(info.get(_INFO_DATA, b"")).get(_TUN_TYPE) if kind == "tun" else None
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


def _text(value: bytes) -> str:
    return value.rstrip(b"\0").decode(errors="surrogateescape")


def _number(value: bytes | None) -> int:
    return 0 if value is None else int(struct.unpack("=I", value)[0])
