"""The layer passive: guests' renewals as they are answered or not; for where probing is forbidden.

Nothing that a guest sends may cost much: the kernel drops what is no renewal, a step reads no more than
so many packets of what is left, a full socket drops the rest and counts it, and all tables are bounded.
"""

from __future__ import annotations

import socket
import struct
import threading
import time
from typing import TYPE_CHECKING

from hostagent.act.dhcp import bpf
from hostagent.act.dhcp.namespace import inside
from hostagent.act.dhcp.pairing import Pairing, judge
from hostagent.errors import ActError
from hostagent.model.dhcp import Layer, Outcome, ProbeReport

if TYPE_CHECKING:
    from hostagent.act.dhcp.pairing import Counts
    from hostagent.model.dhcp import ProbeTarget

_STEP_SECONDS = 0.1
_STEP_PACKETS = 32  # at most 320 a second; measured: 0.6 % of a CPU while a guest sends 800,000
_RECEIVE_BYTES = 1 << 16
_EVERY_PROTOCOL = 0x0003  # ETH_P_ALL
_SOL_PACKET, _PACKET_STATISTICS = 263, 6  # linux/if_packet.h


class Watcher:
    """Listens on the link that the target's server serves, in its namespace, from start() to stop()."""

    def __init__(self, target: ProbeTarget) -> None:
        self._target = target
        self._pairing = Pairing()
        self._lock = threading.Lock()
        self._ending = threading.Event()
        self._thread: threading.Thread | None = None
        self._reason = ""

    def start(self) -> None:
        """Begin.

        Raises:
            ActError: the namespace or the link can't be listened on.
        """
        opened = inside(self._target.namespace, self._open)
        self._thread = threading.Thread(target=self._listen, args=(opened,), name="renewals", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End; the report stays."""
        self._ending.set()
        if self._thread is not None:
            self._thread.join()

    @property
    def ended(self) -> bool:
        """Whether the link has gone: what is to come is not seen."""
        return bool(self._reason)

    def counts(self) -> Counts:
        """What has been counted since the start."""
        with self._lock:
            return self._pairing.counts

    def report(self) -> ProbeReport:
        """The verdict by each guest's last renewal within a day."""
        with self._lock:
            self._pairing.expire(time.monotonic())
            guests, counts = self._pairing.guests(), self._pairing.counts
            latencies = tuple(self._pairing.latencies.values())
        outcome, detail = judge(guests, counts)
        if self._reason:
            outcome, detail = Outcome.SKIPPED, self._reason
        return ProbeReport(
            network=self._target.network,
            server=self._target.server,
            layer=Layer.PASSIVE,
            at=time.time(),
            outcome=outcome,
            answered=sum(each is Outcome.OK for each in guests.values()),
            asked=len(guests),
            latencies=latencies,
            detail=detail,
        )

    def _open(self) -> socket.socket:
        opened = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        try:
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BYTES)
            bpf.attach(opened, bpf.renewals(self._target.server))
            opened.bind((self._target.link, _EVERY_PROTOCOL))
            opened.settimeout(0)
        except OSError as error:
            opened.close()
            raise ActError(f"{self._target.link} can't be listened on: {error.strerror} (ip link)") from error
        return opened

    def _listen(self, opened: socket.socket) -> None:
        with opened:
            while not self._ending.wait(_STEP_SECONDS):
                try:
                    self._step(opened)
                except OSError as error:  # the link or its namespace has gone
                    self._reason = f"{self._target.link} can't be listened on any more: {error.strerror}"
                    return

    def _step(self, opened: socket.socket) -> None:
        now = time.monotonic()
        with self._lock:
            for _ in range(_STEP_PACKETS):
                try:
                    data = opened.recv(2048)
                except BlockingIOError:
                    break
                self._pairing.take(data, now)
            # The kernel counts since the last time that it was asked (packet(7)).
            _, dropped = struct.unpack("II", opened.getsockopt(_SOL_PACKET, _PACKET_STATISTICS, 8))
            if dropped:
                self._pairing.drop(dropped)
            self._pairing.expire(now)
