"""DHCPv4 messages (RFC 2131, RFC 2132): built for probes, and read from whoever sends them.

What arrives was sent by guests and may be anything: every index is checked, what is no DHCP message is None.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from enum import IntEnum
from ipaddress import IPv4Address
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

SERVER_PORT = 67
CLIENT_PORT = 68
REQUEST, REPLY = 1, 2  # op
NOWHERE = "0.0.0.0"  # noqa: S104  the unspecified address, nothing is bound
_FIXED = struct.Struct("!BBBBIHH4s4s4s4s16s64s128s4s")
_COOKIE = b"\x63\x82\x53\x63"
_LEAST_BYTES = 300  # BOOTP's own size: some relays and servers drop what is shorter (RFC 1542, 2.1)
_PAD, _END = 0, 255
_BROADCAST = 0x8000


class Kind(IntEnum):
    """Option 53."""

    DISCOVER = 1
    OFFER = 2
    REQUEST = 3
    DECLINE = 4
    ACK = 5
    NAK = 6
    RELEASE = 7
    INFORM = 8


class Option(IntEnum):
    """The options that are used here (RFC 2132)."""

    ADDRESS = 50
    LEASE_SECONDS = 51
    OVERLOAD = 52
    KIND = 53
    SERVER = 54
    ASKED_FOR = 55


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message. Addresses are dotted text, ``chaddr`` a lower-case MAC; without ``kind`` it is BOOTP.

    ``broadcast`` asks for replies to everybody.
    """

    op: int
    xid: int
    chaddr: str
    kind: Kind | None = None
    broadcast: bool = False
    ciaddr: str = NOWHERE
    yiaddr: str = NOWHERE
    options: Mapping[int, bytes] = field(default_factory=dict)

    @property
    def server(self) -> str:
        """Option 54, or "" where it is absent or no address."""
        raw = self.options.get(Option.SERVER, b"")
        return str(IPv4Address(raw)) if len(raw) == 4 else ""

    @property
    def lease_seconds(self) -> int | None:
        """Option 51; None where it is absent or no number."""
        raw = self.options.get(Option.LEASE_SECONDS, b"")
        return int.from_bytes(raw) if len(raw) == 4 else None


def build(message: Message) -> bytes:
    """The bytes of a message, without UDP. Option 53 comes of ``kind``, the others of ``options``."""
    kind = {int(Option.KIND): bytes([message.kind])} if message.kind is not None else {}
    fixed = _FIXED.pack(
        *(message.op, 1, 6, 0, message.xid, 0, _BROADCAST if message.broadcast else 0),
        *(_raw(message.ciaddr), _raw(message.yiaddr), bytes(4), bytes(4)),
        *(bytes.fromhex(message.chaddr.replace(":", "")), b"", b"", _COOKIE),
    )
    options = b"".join(bytes([code, len(raw)]) + raw for code, raw in (kind | dict(message.options)).items())
    return (fixed + options + bytes([_END])).ljust(_LEAST_BYTES, b"\0")


def parse(data: bytes) -> Message | None:
    """The message in a UDP payload; None where that is not one, of Ethernet, with RFC 2131's cookie."""
    if len(data) < _FIXED.size:
        return None
    op, kind_of_link, length, _, xid, _, flags, ciaddr, yiaddr, _, _, chaddr, sname, file, cookie = (
        _FIXED.unpack_from(data)
    )
    if op not in {REQUEST, REPLY} or (kind_of_link, length) != (1, 6) or cookie != _COOKIE:
        return None
    options = _collected(data[_FIXED.size :])
    overload = options.get(Option.OVERLOAD, b"")
    if len(overload) == 1 and 1 <= overload[0] <= 3:
        # RFC 2131, 4.1: first file, then sname; an option in several pieces is joined (RFC 3396)
        more = [part for bit, part in ((1, file), (2, sname)) if overload[0] & bit]
        for part in more:
            for code, raw in _each(part):
                options[code] = options.get(code, b"") + raw
    return Message(
        op=op,
        xid=xid,
        chaddr=chaddr[:6].hex(":"),
        kind=_kind(options.get(Option.KIND, b"")),
        broadcast=bool(flags & _BROADCAST),
        ciaddr=str(IPv4Address(ciaddr)),
        yiaddr=str(IPv4Address(yiaddr)),
        options=options,
    )


def _collected(field_: bytes) -> dict[int, bytes]:
    options: dict[int, bytes] = {}
    for code, raw in _each(field_):
        options[code] = options.get(code, b"") + raw
    return options


def _each(options: bytes) -> Iterator[tuple[int, bytes]]:
    """The options in their order; an option that is longer than what is left ends them."""
    at = 0
    while at < len(options):
        code = options[at]
        at += 1
        if code == _PAD:
            continue
        if code == _END or at >= len(options):
            return
        length = options[at]
        at += 1
        if at + length > len(options):
            return
        yield code, options[at : at + length]
        at += length


def _kind(raw: bytes) -> Kind | None:
    return Kind(raw[0]) if len(raw) == 1 and 1 <= raw[0] <= 8 else None


def _raw(address: str) -> bytes:
    return IPv4Address(address).packed
