"""Netlink dumps by hand: links, and the sockets of every network namespace at every look.

Not with pyroute2, whose import alone costs 16 MB (docs/adr/0008): 50 namespaces cost 0.4 ms to enter and open
sockets in, one socket of its each made that 22 ms (0.9.7). A dump that is cut short, or during which the
kernel's list changed, is never taken for a whole one.
"""

from __future__ import annotations

import os
import socket
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

ROUTE, SOCK_DIAG = 0, 4  # linux/netlink.h
ERROR, DONE = 2, 3  # NLMSG_ERROR, NLMSG_DONE
INTERRUPTED = 0x10  # NLM_F_DUMP_INTR
_REQUEST_DUMP = 0x1 | 0x300  # NLM_F_REQUEST, NLM_F_DUMP
_HEADER = struct.Struct("=IHHII")  # nlmsghdr: length, type, flags, sequence, port
_ATTRIBUTE = struct.Struct("=HH")  # nlattr: length, type
_NUMBER = struct.Struct("=i")
_TYPE_MASK = 0x3FFF  # without NLA_F_NESTED and NLA_F_NET_BYTEORDER
_SECONDS = 2.0
_BIGGEST = 1 << 18  # bytes of one datagram; the kernel fills at most 32 KiB
_TRIES = 5


class NetlinkError(OSError):
    """What the kernel sent can't be understood, or its list kept changing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message. ``code`` is the errno of an ERROR or DONE, 0 where there is none."""

    kind: int
    flags: int
    sequence: int
    body: bytes

    @property
    def code(self) -> int:
        """The errno that the kernel gives."""
        ends = self.kind in {ERROR, DONE} and len(self.body) >= _NUMBER.size
        return max(0, -int(_NUMBER.unpack_from(self.body)[0])) if ends else 0


def request(kind: int, body: bytes, *, sequence: int = 1) -> bytes:
    """A question for all that there is of a kind."""
    return _HEADER.pack(_HEADER.size + len(body), kind, _REQUEST_DUMP, sequence, 0) + body


def messages(data: bytes) -> Iterator[Message]:
    """The messages of one datagram or more.

    Raises:
        NetlinkError: one is cut short.
    """
    at = 0
    while at < len(data):
        if len(data) - at < _HEADER.size:
            raise NetlinkError("a header is cut off")
        length, kind, flags, sequence, _ = _HEADER.unpack_from(data, at)
        if not _HEADER.size <= length <= len(data) - at:
            raise NetlinkError(f"a message says that it has {length} bytes")
        body = data[at + _HEADER.size : at + length]
        yield Message(kind=kind, flags=flags, sequence=sequence, body=body)
        at += (length + 3) & ~3


def attributes(data: bytes) -> dict[int, bytes]:
    """A message's attributes by number; of one that is repeated, the last.

    Raises:
        NetlinkError: one is cut short.
    """
    found = {}
    at = 0
    while at + _ATTRIBUTE.size <= len(data):
        length, kind = _ATTRIBUTE.unpack_from(data, at)
        if not _ATTRIBUTE.size <= length <= len(data) - at:
            raise NetlinkError(f"an attribute says that it has {length} bytes")
        found[kind & _TYPE_MASK] = data[at + _ATTRIBUTE.size : at + length]
        at += (length + 3) & ~3
    return found


def bodies(data: bytes, kind: int) -> list[bytes] | None:
    """The messages of a whole dump without their headers; None if the list changed meanwhile.

    Raises:
        NetlinkError: one is cut short, or of another kind. OSError: the kernel refuses, with its errno.
    """
    found = []
    for message in messages(data):
        if message.flags & INTERRUPTED:
            return None
        if message.code:
            raise OSError(message.code, os.strerror(message.code))
        if message.kind == kind:
            found.append(message.body)
        elif message.kind not in {ERROR, DONE}:
            raise NetlinkError(f"a message of type {message.kind}")
    return found


def dump(family: int, kind: int, body: bytes, *, answer: int | None = None) -> list[bytes]:
    """The answer to one question in this thread's network namespace, each message without its header.

    ``answer`` is the type of the messages, where it is not that of the question.

    Raises:
        OSError: as the kernel says it (ENOENT: no udp_diag); TimeoutError without an answer; NetlinkError.
    """
    for _ in range(_TRIES):
        found = bodies(_receive(family, request(kind, body)), kind if answer is None else answer)
        if found is not None:
            return found
    raise NetlinkError("the list changes faster than it can be read")


def _receive(family: int, question: bytes) -> bytes:
    """The kernel's answer, up to DONE or an error."""
    received = bytearray()
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, family) as channel:
        channel.settimeout(_SECONDS)
        channel.bind((0, 0))
        channel.send(question)
        while True:
            datagram = channel.recv(_BIGGEST)
            received += datagram
            if any(each.kind in {ERROR, DONE} for each in messages(datagram)):
                return bytes(received)
