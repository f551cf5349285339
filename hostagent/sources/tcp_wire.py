"""The words of NETLINK_SOCK_DIAG (sock_diag(7)): a question for TCP connections, and its answers.

Not with pyroute2's DiagSocket, for its import's cost (docs/adr/0008), and because it decodes every field of
every socket. The structures are kernel ABI: linux/netlink.h, linux/inet_diag.h, linux/tcp.h.
"""

from __future__ import annotations

import errno
import os
import struct
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from socket import AF_INET, AF_INET6, IPPROTO_TCP

from hostagent.model.host import Trouble
from hostagent.sources import netlink
from hostagent.sources.deadline import ReadError

_SOCK_DIAG_BY_FAMILY = 20  # linux/sock_diag.h
_ESTABLISHED = 1 << 1  # the bit of TCP_ESTABLISHED in idiag_states
_INFO = 2  # INET_DIAG_INFO, a struct tcp_info
_TIMER_OFF, _TIMER_KEEPALIVE = 0, 2  # idiag_timer; 1 is a retransmission, 4 a window probe

_ASK = struct.Struct("=BBBxI")  # inet_diag_req_v2 up to its sockid: family, protocol, extensions, states
# inet_diag_msg: family, state, timer, retrans; source and destination port, addresses, interface, cookie;
# expires, rqueue, wqueue, uid, inode. Ports are in network order.
_TOLD = struct.Struct("=BBBB2s2s16s16sI8sIIIII")
_AGES = struct.Struct("=IIII")  # tcpi_last_data_sent, _ack_sent (never set), _data_recv, _ack_recv
_AGES_AT = 44  # in struct tcp_info, since Linux 2.4


@dataclass(frozen=True, slots=True, kw_only=True)
class TcpSocket:
    """An established connection at one moment. ``cookie`` is the kernel's name of it as long as it lives.

    ``hidden`` says that a retransmission or a window probe is pending, which is shown in place of the
    keepalive timer (net/ipv4/inet_diag.c, inet_sk_diag_fill()); ``due_seconds`` is when that timer expires,
    None if it is off. ``probing``: probes were sent that have no answer.
    """

    cookie: bytes
    inode: int
    local: str
    peer: str
    port: int
    hidden: bool
    due_seconds: float | None
    probing: bool
    idle_seconds: float


def request(family: int, port: int, sequence: int) -> bytes:
    """Ask for all established connections to a remote ``port``; the kernel filters by itself."""
    body = _ASK.pack(family, IPPROTO_TCP, 1 << (_INFO - 1), _ESTABLISHED)
    body += struct.pack("!HH", 0, port) + bytes(36) + b"\xff" * 8  # any address, any interface, no cookie
    return netlink.request(_SOCK_DIAG_BY_FAMILY, body, sequence=sequence)


def parse_answer(data: bytes, sequence: int) -> tuple[list[TcpSocket], bool]:
    """One datagram of an answer → its connections, and whether it was the last one.

    Raises:
        ReadError: the kernel refuses, or these are not its words.
    """
    found: list[TcpSocket] = []
    try:
        for message in netlink.messages(data):
            if message.sequence != sequence:
                continue  # the rest of an earlier answer
            if message.code:
                raise refused(message.code)
            if message.kind in {netlink.ERROR, netlink.DONE}:
                return found, True
            if message.kind == _SOCK_DIAG_BY_FAMILY:
                found.append(_socket(message.body))
    except netlink.NetlinkError as error:
        raise _garbled(str(error)) from error
    return found, False


def refused(code: int) -> ReadError:
    """The error for an errno of the kernel's."""
    if code in {errno.ENOENT, errno.EPROTONOSUPPORT, errno.EAFNOSUPPORT}:
        return ReadError(Trouble.ABSENT, "this kernel can't list TCP connections (modprobe tcp_diag)")
    if code in {errno.EPERM, errno.EACCES}:
        return ReadError(
            Trouble.DENIED, "TCP connections: permission denied (is AF_NETLINK allowed in this unit?)"
        )
    return ReadError(Trouble.INVALID, f"TCP connections can't be listed: {os.strerror(code)} (ss -tno)")


def _socket(body: bytes) -> TcpSocket:
    if len(body) < _TOLD.size:
        raise _garbled(f"a connection has only {len(body)} bytes")
    family, _, timer, probes, _, port, local, peer, _, cookie, expires, _, _, _, inode = _TOLD.unpack_from(
        body
    )
    return TcpSocket(
        cookie=cookie,
        inode=inode,
        local=_address(family, local),
        peer=_address(family, peer),
        port=int.from_bytes(port, "big"),
        hidden=timer not in {_TIMER_OFF, _TIMER_KEEPALIVE},
        due_seconds=expires / 1000 if timer == _TIMER_KEEPALIVE else None,
        probing=timer == _TIMER_KEEPALIVE and probes > 0,  # idiag_retrans holds icsk_probes_out then
        idle_seconds=_idle_milliseconds(body) / 1000,
    )


def _idle_milliseconds(body: bytes) -> int:
    """Since the last packet that the kernel took note of, in either direction.

    The answer to a keepalive probe counts as an acknowledgement. A probe of the peer's is not noted:
    then the connection was less silent than this says.
    """
    info = netlink.attributes(body[_TOLD.size :]).get(_INFO, b"")
    if len(info) < _AGES_AT + _AGES.size:
        raise _garbled("a connection has no tcp_info")
    sent, _, received, acknowledged = _AGES.unpack_from(info, _AGES_AT)
    return int(min(sent, received, acknowledged))


def _address(family: int, raw: bytes) -> str:
    if family == AF_INET:
        return str(IPv4Address(raw[:4]))
    if family == AF_INET6:
        address = IPv6Address(raw)
        return str(address.ipv4_mapped or address)
    raise _garbled(f"a connection has the address family {family}")


def _garbled(what: str) -> ReadError:
    return ReadError(Trouble.INVALID, f"the kernel's list of TCP connections is garbled: {what} (ss -tno)")
