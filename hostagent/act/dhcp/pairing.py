"""Guests' renewals against a server's answers, as they pass by; and what that says of the network."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

from hostagent.act.dhcp import packet
from hostagent.act.dhcp.frame import BROADCAST, Datagram, parse_frame
from hostagent.model.dhcp import Outcome

ANSWER_SECONDS = 5.0
_MOST_PENDING = 1024
_MOST_GUESTS = 4096
_MEMORY_SECONDS = 86400.0
_MOST_NAMED = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Since the start: renewals seen, and what became of them. ``dropped`` packets were not looked at."""

    seen: int = 0
    answered: int = 0
    refused: int = 0
    silent: int = 0
    dropped: int = 0
    malformed: int = 0


@dataclass(slots=True)
class _Asked:
    at: float
    unsure: bool = False  # packets were dropped meanwhile: the answer may have been among them


class Pairing:
    """Requests against answers by xid and chaddr. Pure: the time is an argument, in seconds of any clock."""

    def __init__(self) -> None:
        self.latencies: OrderedDict[str, float] = OrderedDict()
        self._guests: OrderedDict[str, tuple[float, Outcome]] = OrderedDict()
        self._pending: OrderedDict[tuple[int, str], _Asked] = OrderedDict()
        self._counted = dict.fromkeys(Counts.__slots__, 0)

    @property
    def counts(self) -> Counts:
        """What has been counted so far."""
        return Counts(**self._counted)

    def take(self, data: bytes, now: float) -> None:
        """A frame off the wire, in its order."""
        found = parse_frame(data)
        message = packet.parse(found.payload) if isinstance(found, Datagram) else None
        if message is None or not isinstance(found, Datagram):
            self._counted["malformed"] += 1
        elif message.op == packet.REPLY:
            self._answered(message, now)
        elif message.kind is packet.Kind.REQUEST and message.ciaddr != packet.NOWHERE:
            self._asked(message, now, rebinding=found.target == BROADCAST)

    def drop(self, packets: int) -> None:
        """So many packets were lost: what waits now is not held against the server."""
        self._counted["dropped"] += packets
        for asked in self._pending.values():
            asked.unsure = True

    def expire(self, now: float) -> None:
        """What has waited for ANSWER_SECONDS is silent; what is older than a day is forgotten."""
        while self._pending:
            key, asked = next(iter(self._pending.items()))
            if now - asked.at < ANSWER_SECONDS:
                break
            del self._pending[key]
            self._silent(key[1], asked, now)
        while self._guests:
            mac, (at, _) = next(iter(self._guests.items()))
            if now - at < _MEMORY_SECONDS:
                break
            del self._guests[mac]
            self.latencies.pop(mac, None)

    def guests(self) -> dict[str, Outcome]:
        """What became of each guest's last renewal: OK, NAK, or DEAD for no answer."""
        return {mac: outcome for mac, (_, outcome) in self._guests.items()}

    def _asked(self, message: packet.Message, now: float, *, rebinding: bool) -> None:
        key = (message.xid, message.chaddr)
        if rebinding:  # the guest has given up; what is answered now says nothing about its renewal
            if (asked := self._pending.pop(key, None)) is not None:
                self._silent(message.chaddr, asked, now)
            return
        if key in self._pending:  # the same, sent again
            return
        self._counted["seen"] += 1
        if len(self._pending) >= _MOST_PENDING:
            self._counted["dropped"] += 1
            return
        self._pending[key] = _Asked(now)

    def _answered(self, message: packet.Message, now: float) -> None:
        if message.kind not in {packet.Kind.ACK, packet.Kind.NAK}:
            return
        asked = self._pending.pop((message.xid, message.chaddr), None)
        if asked is None:
            return
        if message.kind is packet.Kind.NAK:
            self._counted["refused"] += 1
            self._note(message.chaddr, now, Outcome.NAK)
        else:
            self._counted["answered"] += 1
            self._note(message.chaddr, now, Outcome.OK)
            self.latencies[message.chaddr] = now - asked.at

    def _silent(self, mac: str, asked: _Asked, now: float) -> None:
        if not asked.unsure:
            self._counted["silent"] += 1
            self._note(mac, now, Outcome.DEAD)

    def _note(self, mac: str, now: float, outcome: Outcome) -> None:
        self._guests.pop(mac, None)
        self._guests[mac] = (now, outcome)
        if len(self._guests) > _MOST_GUESTS:
            self.latencies.pop(self._guests.popitem(last=False)[0], None)


def judge(guests: dict[str, Outcome], counts: Counts) -> tuple[Outcome, str]:
    """The outcome for a network, and why, by what became of each guest's last renewal."""
    refused = sorted(mac for mac, each in guests.items() if each is Outcome.NAK)
    silent = sorted(mac for mac, each in guests.items() if each is Outcome.DEAD)
    lost = f"; {counts.dropped} packets were too many to look at" if counts.dropped else ""
    if not guests:
        return Outcome.SKIPPED, f"no guest has renewed yet{lost}"
    if refused:
        return Outcome.NAK, f"{len(refused)} of {len(guests)} guests were refused: {_named(refused)}{lost}"
    if silent:
        outcome = Outcome.DEAD if len(silent) == len(guests) else Outcome.SPLIT
        return outcome, f"{len(silent)} of {len(guests)} guests got no answer: {_named(silent)}{lost}"
    return Outcome.OK, lost.removeprefix("; ")


def _named(macs: list[str]) -> str:
    more = f" and {len(macs) - _MOST_NAMED} more" if len(macs) > _MOST_NAMED else ""
    return ", ".join(macs[:_MOST_NAMED]) + more
