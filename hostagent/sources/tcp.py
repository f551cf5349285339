"""Connections to message brokers with their keepalive, from the kernel's sock_diag.

How long a connection may be silent is not told, only when its keepalive timer expires. What follows from
that (net/ipv4/tcp_timer.c, tcp_keepalive_timer()): the timer is armed for keepalive_time after the last
packet received. Packets that come later do not move it; it expires early, finds less than keepalive_time
elapsed, and is armed again for the rest. So with ``idle`` since the last packet and ``due`` until the timer
expires, no probe is sent before idle + due, and perhaps one is sent only later: idle + due never says too
much. It says too little when packets came after the timer was armed, and after a probe, when the timer
runs for keepalive_intvl first. Therefore the largest value seen of a connection is kept between looks.
"""

from __future__ import annotations

import socket
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hostagent.model.connections import AmqpConnections, Connection, Keepalive
from hostagent.model.host import Trouble
from hostagent.sources.deadline import ReadError
from hostagent.sources.netlink import SOCK_DIAG
from hostagent.sources.tcp_holders import Holders
from hostagent.sources.tcp_wire import TcpSocket, parse_answer, refused, request

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hostagent.config import Amqp

_BUFFER_BYTES = 1 << 16  # the kernel fills at most 32 KiB of it (net/netlink/af_netlink.c, netlink_dump())
# Between dumps, for connections of which the first one did not tell enough: 0.1 s in all.
_PAUSES = (0.01, 0.02, 0.03, 0.04)
_OFF_TWICE = 2  # seen off once may be a program between connect() and setsockopt()
_SLACK_SECONDS = 1.0


@dataclass(slots=True)
class _Sight:
    """One connection over the dumps of one look: the last one, the last with its timer, how often off."""

    last: TcpSocket
    timed: TcpSocket | None = None
    off: int = 0

    def add(self, seen: TcpSocket) -> None:
        self.last = seen
        if seen.due_seconds is not None:
            self.timed = seen
        elif not seen.hidden:
            self.off += 1

    @property
    def settled(self) -> bool:
        return self.timed is not None or self.off >= _OFF_TWICE


@dataclass(frozen=True, slots=True)
class _Past:
    """What earlier looks saw: when the timer is to expire, and the longest silence before a probe."""

    due_at: float
    silence_seconds: float


class AmqpReader:
    """Reads the connections again and again; remembers what the timers told before."""

    def __init__(self, settings: Amqp, proc_dir: str = "/proc") -> None:
        self._settings = settings
        self._holders = Holders(proc_dir)
        self._past: dict[bytes, _Past] = {}

    def read(self, until: float) -> AmqpConnections:
        """All established connections to the brokers' ports, by ``until`` of time.monotonic().

        Raises:
            ReadError: with its trouble.
        """
        sights = self._watch(until)
        holders = self._holders.of(each.last.inode for each in sights.values())
        now = time.monotonic()
        self._past = {
            cookie: past
            for cookie, sight in sights.items()
            if (past := _past(self._past.get(cookie), sight.timed, now)) is not None
        }
        found = []
        for cookie, sight in sights.items():
            keepalive, silence = _judge(sight, self._past.get(cookie))
            holder = holders.get(sight.last.inode)
            found.append(
                Connection(
                    local=sight.last.local,
                    peer=sight.last.peer,
                    port=sight.last.port,
                    keepalive=keepalive,
                    idle_seconds=sight.last.idle_seconds,
                    silence_seconds=silence,
                    process=holder.name if holder else "",
                    pid=holder.pid if holder else None,
                )
            )
        settings = self._settings
        return AmqpConnections(
            connections=tuple(found),
            ports=settings.ports,
            processes=settings.processes,
            limit_seconds=settings.firewall_idle_seconds,
        )

    def _watch(self, until: float) -> dict[bytes, _Sight]:
        """Dump until every connection has shown its timer, or the pauses are used up."""
        ports = frozenset(self._settings.ports)
        sights = {each.cookie: _Sight(each) for each in _dump(ports, until)}
        for sight in sights.values():
            sight.add(sight.last)
        for pause in _PAUSES:
            open_ports = {each.last.port for each in sights.values() if not each.settled}
            if not open_ports or time.monotonic() + pause >= until:
                break
            time.sleep(pause)
            again = {each.cookie: each for each in _dump(open_ports, until)}
            for cookie in [key for key, each in sights.items() if each.last.port in open_ports]:
                if cookie in again:
                    sights[cookie].add(again[cookie])
                else:  # closed meanwhile
                    del sights[cookie]
        return sights


def _past(past: _Past | None, timed: TcpSocket | None, now: float) -> _Past | None:
    if timed is None or timed.due_seconds is None:
        return past
    due_at = now + timed.due_seconds
    if past is not None and due_at + _SLACK_SECONDS < past.due_at:
        past = None  # only a shorter TCP_KEEPIDLE lets a timer expire earlier than it was to
    # While probes go unanswered the firewall sees packets that idle does not count.
    silence = 0.0 if timed.probing else timed.idle_seconds + timed.due_seconds
    return _Past(due_at, max(silence, past.silence_seconds if past else 0.0))


def _judge(sight: _Sight, past: _Past | None) -> tuple[Keepalive, float | None]:
    if past is not None and (sight.timed is not None or not sight.off):
        return Keepalive.ON, past.silence_seconds
    return (Keepalive.OFF if sight.settled else Keepalive.HIDDEN), None


def _dump(ports: Iterable[int], until: float) -> list[TcpSocket]:
    found: list[TcpSocket] = []
    try:
        with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, SOCK_DIAG) as link:
            link.bind((0, 0))
            asked = [(family, port) for family in (socket.AF_INET, socket.AF_INET6) for port in sorted(ports)]
            for sequence, (family, port) in enumerate(asked, 1):
                link.send(request(family, port, sequence))
                last = False
                while not last:
                    link.settimeout(max(0.001, until - time.monotonic()))
                    some, last = parse_answer(_receive(link), sequence)
                    found += some
    except TimeoutError as error:
        raise ReadError(
            Trouble.UNRESPONSIVE,
            "TCP connections were not listed in time (is the host overloaded? cat /proc/pressure/cpu)",
        ) from error
    except OSError as error:
        raise refused(error.errno or 0) from error
    return found


def _receive(link: socket.socket) -> bytes:
    data, _, flags, sender = link.recvmsg(_BUFFER_BYTES)
    if flags & socket.MSG_TRUNC or not data:
        raise ReadError(Trouble.INVALID, "the kernel's list of TCP connections is cut off (ss -tno)")
    return data if sender[0] == 0 else b""  # 0 is the kernel
