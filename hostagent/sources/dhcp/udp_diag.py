"""UDP sockets on one port, with the device that each is bound to: what /proc/net/udp does not tell."""

from __future__ import annotations

import socket
import struct

from hostagent.model.dhcp import UdpSocket
from hostagent.sources.netlink import SOCK_DIAG, dump

_BY_FAMILY = 20  # SOCK_DIAG_BY_FAMILY of linux/sock_diag.h
_EVERY_STATE = 0xFFFFFFFF
# linux/inet_diag.h, struct inet_diag_req_v2: family, protocol, states, local port; any peer and cookie.
_REQUEST = struct.Struct("=BB2xI2s38x8s")
_ANY_COOKIE = b"\xff" * 8
# struct inet_diag_msg, from idiag_src on: 4 bytes state, then the socket's id, then five numbers.
_MESSAGE = struct.Struct("=4x4s16s16sI8xIIIII")


def read_udp(port: int = 67) -> tuple[UdpSocket, ...]:
    """IPv4's sockets on ``port`` in this thread's network namespace, without their processes.

    Raises:
        OSError: as the kernel says it; ENOENT without udp_diag.
    """
    wanted = port.to_bytes(2, "big")
    request = _REQUEST.pack(socket.AF_INET, socket.IPPROTO_UDP, _EVERY_STATE, wanted, _ANY_COOKIE)
    found = (parse_udp(message) for message in dump(SOCK_DIAG, _BY_FAMILY, request))
    return tuple(each for number, each in found if number == port)


def parse_udp(message: bytes) -> tuple[int, UdpSocket]:
    """A struct inet_diag_msg → local port and socket.

    Raises:
        OSError: it is shorter than the kernel's.
    """
    try:
        ports, source, _, ifindex, _, queue, _, _, inode = _MESSAGE.unpack_from(message)
    except struct.error as error:
        raise OSError(f"a message of udp_diag has {len(message)} bytes") from error
    address = socket.inet_ntop(socket.AF_INET, source[:4]) if any(source[:4]) else ""
    port = int.from_bytes(ports[:2], "big")
    return port, UdpSocket(inode=inode, ifindex=ifindex, address=address, queue=queue)
