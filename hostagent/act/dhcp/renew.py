"""The layer renew: what a guest goes through, with a lease of the probe's own that is given back."""

from __future__ import annotations

import time
from ipaddress import IPv4Address
from random import SystemRandom
from typing import TYPE_CHECKING

from hostagent.act.dhcp import packet
from hostagent.act.dhcp.packet import Kind, Option
from hostagent.errors import RefusedError
from hostagent.model.dhcp import Layer, Outcome, ProbeReport

if TYPE_CHECKING:
    from collections.abc import Callable

    from hostagent.act.dhcp.wire import Wire
    from hostagent.model.dhcp import ProbeTarget

_OFFER_SECONDS = (3.5, 1.5)  # dnsmasq pings an address for 3 s before it offers it
_ACK_SECONDS = (2.5, 2.5)
_RENEW_SECONDS = (1.0, 1.0, 1.0)
_REBIND_SECONDS = (1.0, 1.0, 1.0)
_ARP_SECONDS = 0.5
# dnsmasq's least: should this process be killed, the lease ends by itself that soon.
_LEASE_SECONDS = (120).to_bytes(4)
_ASKED_FOR = bytes([1, 3, 6, 51, 54, 58, 59])
_RANDOM = SystemRandom()


class Renewal:
    """The steps of one lease. Each returns what was answered, ``latencies`` has how fast."""

    def __init__(self, wire: Wire, target: ProbeTarget) -> None:
        self.latencies: list[float] = []
        self.asked = 0
        self.address = ""
        self.others: set[str] = set()
        self._wire = wire
        self._target = target
        self._renewed = False

    def lease(self) -> bool:
        """DISCOVER and REQUEST; whether the target's server gave an address."""
        offer = self._try(Kind.DISCOVER, _OFFER_SECONDS, {}, wanted=(Kind.OFFER,))
        if offer is None:
            return False
        named: dict[int, bytes] = {
            Option.ADDRESS: IPv4Address(offer.yiaddr).packed,
            Option.SERVER: IPv4Address(self._target.server).packed,
        }
        ack = self._try(Kind.REQUEST, _ACK_SECONDS, named, xid=offer.xid)
        if ack is None or ack.kind is not Kind.ACK:
            return False
        self.address = self._wire.address = ack.yiaddr
        return True

    def renew(self) -> Kind | None:
        """RFC 2131's RENEWING: to the server alone, ciaddr set, neither option 50 nor 54."""
        mac = self._wire.mac_behind(self._target.server, _ARP_SECONDS, sender=self.address)
        if not mac:
            self._wire.tell(f"{self._target.server} does not answer ARP")
            self.asked += 1
            return None
        ack = self._try(Kind.REQUEST, _RENEW_SECONDS, {}, to=(self._target.server, mac))
        self._renewed = ack is not None
        return None if ack is None else ack.kind

    def rebind(self) -> Kind | None:
        """REBINDING: the same to everybody."""
        ack = self._try(Kind.REQUEST, _REBIND_SECONDS, {})
        return None if ack is None else ack.kind

    def release(self) -> None:
        """Give the address back; by broadcast too where what is sent to the server alone does not arrive."""
        if not self.address:
            return
        message = self._message(
            Kind.RELEASE, _RANDOM.getrandbits(32), {Option.SERVER: IPv4Address(self._target.server).packed}
        )
        try:
            mac = self._wire.mac_behind(self._target.server, _ARP_SECONDS, sender=self.address)
        except RefusedError:  # broken off: no time to ask, and everybody hears it
            mac, self._renewed = "", False
        if mac:
            self._wire.send(message, source=self.address, to=(self._target.server, mac))
        if not self._renewed:
            self._wire.send(message, source=self.address)
        self.address = ""

    def _try(
        self,
        kind: Kind,
        waits: tuple[float, ...],
        options: dict[int, bytes],
        *,
        wanted: tuple[Kind, ...] = (Kind.ACK, Kind.NAK),
        to: tuple[str, str] | None = None,
        xid: int | None = None,
    ) -> packet.Message | None:
        """Send until one of ``wanted`` comes from the target's server, as often as ``waits`` is long."""
        xid = _RANDOM.getrandbits(32) if xid is None else xid
        source = self.address or packet.NOWHERE
        self.asked += 1
        since = time.monotonic()
        for turn, seconds in enumerate(waits):
            # Where replies to one address are dropped, a first lease comes by broadcast only.
            message = self._message(kind, xid, options, broadcast=turn > 0 and not self.address)
            if to is None:
                self._wire.send(message, source=source)
            else:
                self._wire.send(message, source=source, to=to)
            for reply in self._wire.replies(seconds):
                if reply.xid != xid or reply.kind not in wanted:
                    continue
                if reply.server not in {self._target.server, ""}:
                    self.others.add(reply.server)
                    continue
                self.latencies.append(time.monotonic() - since)
                return reply
        return None

    def _message(
        self, kind: Kind, xid: int, options: dict[int, bytes], *, broadcast: bool = False
    ) -> packet.Message:
        asked: dict[int, bytes] = {}
        if kind in {Kind.DISCOVER, Kind.REQUEST}:
            asked = {Option.LEASE_SECONDS: _LEASE_SECONDS, Option.ASKED_FOR: _ASKED_FOR}
        return packet.Message(
            op=packet.REQUEST,
            xid=xid,
            chaddr=self._wire.mac,
            kind=kind,
            broadcast=broadcast,
            ciaddr=self.address or packet.NOWHERE,
            options=options | asked,
        )


def probe(
    wire: Wire, target: ProbeTarget, *, between: Callable[[Renewal], None] | None = None
) -> ProbeReport:
    """A lease, its renewal, and where that is silent its rebinding; the lease is given back however it goes.

    ``between`` is called with the lease, before it is renewed.
    """
    at = time.time()
    renewal = Renewal(wire, target)
    try:
        outcome, detail = _judge(renewal, between)
        if outcome is Outcome.NO_OFFER and target.ignores_unknown:
            outcome, detail = Outcome.SKIPPED, "the server answers only clients that it knows (dhcp-ignore)"
    finally:
        renewal.release()
    if renewal.others:
        detail = f"{detail}; other servers answered too: {', '.join(sorted(renewal.others))}".removeprefix(
            "; "
        )
    return ProbeReport(
        network=target.network,
        server=target.server,
        layer=Layer.RENEW,
        at=at,
        outcome=outcome,
        answered=len(renewal.latencies),
        asked=renewal.asked,
        latencies=tuple(renewal.latencies),
        detail=detail,
        timeline=tuple(wire.timeline),
    )


def _judge(renewal: Renewal, between: Callable[[Renewal], None] | None) -> tuple[Outcome, str]:
    """DHCP.md's table."""
    if not renewal.lease():
        return (
            Outcome.NO_OFFER,
            "no address was given: the server is down, its pool empty, or the probe unwanted",
        )
    if between is not None:
        between(renewal)
    renewed = renewal.renew()
    if renewed is Kind.ACK:
        return Outcome.OK, ""
    if renewed is Kind.NAK:
        return Outcome.NAK, "the server no longer knows the lease it gave a moment ago"
    rebound = renewal.rebind()
    if rebound is Kind.ACK:
        return (
            Outcome.REBIND_ONLY,
            "the renewal was silent, its broadcast answered: the renewal's path is broken",
        )
    if rebound is Kind.NAK:
        return Outcome.NAK, "the renewal was silent, its broadcast refused"
    return (
        Outcome.REPLY_PATH,
        "renewal and rebinding were silent: the reply's path is broken, or the server hangs",
    )
