"""The layer unicast: what is sent to the server's address as a renewal is, without taking a lease.

DHCPINFORM (RFC 2131, 4.4.3) goes the way of a renewal and is answered from the configuration alone.
"""

from __future__ import annotations

import time
from ipaddress import IPv4Address, IPv4Network
from itertools import islice
from random import SystemRandom
from typing import TYPE_CHECKING

from hostagent.act.dhcp import packet
from hostagent.model.dhcp import Layer, Outcome, ProbeReport

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hostagent.act.dhcp.wire import Wire
    from hostagent.model.dhcp import ProbeTarget

_PORTS = (
    8  # besides 68; each is another hash: a split in two halves hides from 8 in 0.4 %, from 16 in 0.002 %
)
_LEAST_PORT, _MOST_PORT = 20000, 60999
_ANSWER_SECONDS = 0.3
_ARP_SECONDS = 0.3
_TAKEN_SECONDS = (
    0.004,
    0.004,
    0.004,
)  # three probes (RFC 5227, PROBE_NUM); a guest of this host is that near
_MOST_CANDIDATES = 8
_ASKED_FOR = bytes([1, 3, 6, 54])  # netmask, router, DNS servers, server
_RANDOM = SystemRandom()


def probe(wire: Wire, target: ProbeTarget) -> ProbeReport:
    """Ask from 68 and 8 other source ports, then from 8 more; a port that was silent is asked a second time.

    The kernel's choice among sockets goes by the port's hash: a port that is silent once may have lost a
    packet, one that is silent twice reaches a socket that does not answer.
    """
    at = time.time()
    address = _free_address(wire, target)
    if not address:
        return _report(target, at, wire, Outcome.SKIPPED, f"no free address in {target.prefix} to ask from")
    wire.address = address
    mac = wire.mac_behind(target.server, _ARP_SECONDS) or wire.mac_behind(
        target.server, _ARP_SECONDS, sender=address
    )
    if not mac:
        return _report(target, at, wire, Outcome.DEAD, f"{target.server} does not answer ARP")
    asked = {packet.CLIENT_PORT, *_some_ports()}
    answered = _round(wire, target, address, mac, asked)
    fresh = set(_some_ports())
    answered |= _round(wire, target, address, mac, fresh | asked - answered.keys())
    asked |= fresh
    if answered and (silent := asked - answered.keys()):
        answered |= _round(wire, target, address, mac, silent)
    if wire.conflict:
        return _report(target, at, wire, Outcome.SKIPPED, f"{address} turned out to be {wire.conflict}'s")
    return _judge(target, at, wire, answered, asked)


def _judge(
    target: ProbeTarget, at: float, wire: Wire, answered: dict[int, float], asked: set[int]
) -> ProbeReport:
    latencies = tuple(answered[port] for port in sorted(answered))
    if len(answered) == len(asked):
        outcome, detail = Outcome.OK, ""
    elif answered:
        outcome = Outcome.SPLIT
        detail = (
            f"{len(asked) - len(answered)} of {len(asked)} source ports reach somebody who does not answer"
        )
    elif target.ignores_unknown:
        outcome = Outcome.SKIPPED
        detail = "the server answers only clients that it knows (dhcp-ignore): it would not answer this probe"
    else:
        outcome, detail = Outcome.DEAD, f"{target.server} answers nothing that is sent to it alone"
    return _report(target, at, wire, outcome, detail, asked=len(asked), latencies=latencies)


def _report(
    target: ProbeTarget,
    at: float,
    wire: Wire,
    outcome: Outcome,
    detail: str,
    *,
    asked: int = 0,
    latencies: tuple[float, ...] = (),
) -> ProbeReport:
    return ProbeReport(
        network=target.network,
        server=target.server,
        layer=Layer.UNICAST,
        at=at,
        outcome=outcome,
        answered=len(latencies),
        asked=asked,
        latencies=latencies,
        detail=detail,
        timeline=tuple(wire.timeline),
    )


def _round(wire: Wire, target: ProbeTarget, address: str, mac: str, ports: set[int]) -> dict[int, float]:
    """Port → seconds until its answer came, of those that were answered."""
    sent: dict[int, tuple[int, float]] = {}
    for port in sorted(ports):
        xid = _RANDOM.getrandbits(32)
        message = packet.Message(
            op=packet.REQUEST,
            xid=xid,
            chaddr=wire.mac,
            kind=packet.Kind.INFORM,
            ciaddr=address,
            options={packet.Option.ASKED_FOR: _ASKED_FOR},
        )
        wire.send(message, source=address, to=(target.server, mac), port=port)
        sent[xid] = (port, time.monotonic())
    answered: dict[int, float] = {}
    for reply in wire.replies(_ANSWER_SECONDS, enough=lambda: len(answered) == len(sent)):
        if reply.kind is packet.Kind.ACK and reply.xid in sent:
            port, since = sent[reply.xid]
            answered.setdefault(port, time.monotonic() - since)
            if len(answered) == len(sent):
                break
    return answered


def _some_ports() -> list[int]:
    return _RANDOM.sample(range(_LEAST_PORT, _MOST_PORT), _PORTS)


def _free_address(wire: Wire, target: ProbeTarget) -> str:
    """The highest address that nobody has or is promised or answers for; "" if the first few are taken."""
    for address in islice(_candidates(target), _MOST_CANDIDATES):
        if not any(wire.mac_behind(address, seconds) for seconds in _TAKEN_SECONDS):
            return address
    return ""


def _candidates(target: ProbeTarget) -> Iterator[str]:
    network = IPv4Network(target.prefix, strict=False)
    number = int(network.broadcast_address) - (network.prefixlen < 31)
    least = int(network.network_address) + (network.prefixlen < 31)
    while number >= least:
        address = str(IPv4Address(number))
        if address != target.server and address not in target.avoid:
            yield address
        number -= 1
