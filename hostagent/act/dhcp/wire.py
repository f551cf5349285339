"""A probe's conversation: frames through one packet socket, answers to ARP, and a person's timeline."""

from __future__ import annotations

import select
import time
from typing import TYPE_CHECKING

from hostagent.act.dhcp import frame, packet
from hostagent.errors import RefusedError

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterator

_OUTGOING = 4  # PACKET_OUTGOING of packet(7): what this socket has sent itself
_MOST_LINES = 200
_ENDED_SECONDS = 0.2  # how late it is noticed that the probe is to end


class Wire:
    """One port. ``address`` is what it answers ARP requests for, from the moment that it is set.

    Without that answer the server could not send anything to the address, and every renewal would look dead.
    Once ``ended`` says so, waiting for anything raises RefusedError.
    """

    def __init__(self, opened: socket.socket, mac: str, ended: Callable[[], bool] = bool) -> None:
        self.mac = mac
        self.address = ""
        self.timeline: list[str] = []
        self.conflict = ""  # the MAC of somebody else who says that he has ``address``
        self._ended = ended
        self._socket = opened
        self._socket.settimeout(0)
        self._began = time.monotonic()

    def tell(self, words: str) -> None:
        """Add a line to the timeline."""
        if len(self.timeline) < _MOST_LINES:
            self.timeline.append(f"{(time.monotonic() - self._began) * 1000:8.1f} ms  {words}")

    def send(
        self,
        message: packet.Message,
        *,
        source: str,
        to: tuple[str, str] = (frame.BROADCAST, frame.BROADCAST_MAC),
        port: int = packet.CLIENT_PORT,
    ) -> None:
        """Send ``message`` from ``source``; ``to`` is the address and the MAC, of everybody unless given."""
        kind = message.kind.name if message.kind is not None else "?"
        self.tell(f"-> {to[0]}:67 from {source}:{port}  {kind} xid {message.xid:08x}")
        self._socket.send(
            frame.build_datagram(
                frame.Datagram(
                    source_mac=self.mac,
                    target_mac=to[1],
                    source=source,
                    target=to[0],
                    source_port=port,
                    target_port=packet.SERVER_PORT,
                    payload=packet.build(message),
                )
            )
        )

    def replies(
        self, seconds: float, *, enough: Callable[[], bool] | None = None
    ) -> Iterator[packet.Message]:
        """The servers' messages for this port's MAC, until ``seconds`` are over or ``enough`` says so."""
        for found in self._frames(seconds):
            if isinstance(found, frame.Datagram) and found.source_port == packet.SERVER_PORT:
                message = packet.parse(found.payload)
                if message is not None and message.op == packet.REPLY and message.chaddr == self.mac:
                    kind = message.kind.name if message.kind is not None else "?"
                    self.tell(
                        f"<- {found.source} to {found.target}:{found.target_port}  {kind} {message.yiaddr}"
                    )
                    yield message
                    if enough is not None and enough():
                        return

    def reply(self, xid: int, seconds: float, *kinds: packet.Kind) -> packet.Message | None:
        """The first reply to ``xid`` of one of these kinds."""
        for message in self.replies(seconds):
            if message.xid == xid and message.kind in kinds:
                return message
        return None

    def mac_behind(self, address: str, seconds: float, *, sender: str = packet.NOWHERE) -> str:
        """Who says by ARP that he has ``address``, or "". Without a sender it is a probe: nobody notes it."""
        request = frame.Arp(op=frame.ARP_REQUEST, sender_mac=self.mac, sender=sender, target=address)
        self.tell(f"-> everybody  ARP who has {address}?")
        self._socket.send(frame.build_arp(request))
        for found in self._frames(seconds):
            if isinstance(found, frame.Arp) and found.sender == address and found.sender_mac != self.mac:
                self.tell(f"<- {found.sender_mac}  ARP {address} is here")
                return found.sender_mac
        return ""

    def _frames(self, seconds: float) -> Iterator[frame.Arp | frame.Datagram]:
        """What arrives within ``seconds``; requests for ``address`` are answered on the way."""
        ends = time.monotonic() + seconds
        poll = select.poll()
        poll.register(self._socket, select.POLLIN)
        while (left := ends - time.monotonic()) > 0:
            if self._ended():
                raise RefusedError("the probe was broken off: hostagent ends, or takes up its settings again")
            if not poll.poll(min(left, _ENDED_SECONDS) * 1000):
                continue
            try:
                data, sender = self._socket.recvfrom(2048)
            except BlockingIOError:
                continue
            found = frame.parse_frame(data) if sender[2] != _OUTGOING else None
            if isinstance(found, frame.Arp):
                self._answer(found)
                if found.sender == self.address and found.sender_mac != self.mac:
                    self.conflict = found.sender_mac
            if found is not None:
                yield found

    def _answer(self, asked: frame.Arp) -> None:
        if asked.op != frame.ARP_REQUEST or not self.address or asked.target != self.address:
            return
        self._socket.send(
            frame.build_arp(
                frame.Arp(
                    op=frame.ARP_REPLY,
                    sender_mac=self.mac,
                    sender=self.address,
                    target_mac=asked.sender_mac,
                    target=asked.sender,
                )
            )
        )
        self.tell(f"<> {asked.sender}  ARP who has {asked.target}? Answered")
