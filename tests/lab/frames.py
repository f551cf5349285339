"""Frames on a guest's tap, seen from outside both the guest and the switch.

Which way a frame goes is told by its packet type. On a guest's tap QEMU holds the tap's file: what the
guest sends comes *in* from there, and what the switch delivers goes *out* to it, from vswitchd's packet
socket or the kernel datapath. On a bridge's internal port of the userspace datapath it is vswitchd that holds
the file, so there it is the other way round.
"""

import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from ipaddress import IPv4Address
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from tests.lab.programs import LabError

_PACKET_OUTGOING: Final = 4  # linux/if_packet.h
_SNIFFER: Final = Path(__file__).with_name("sniffer.py")
BROADCAST: Final = "ff:ff:ff:ff:ff:ff"


class Direction(Enum):
    TO_GUEST = "to guest"
    FROM_GUEST = "from guest"


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """One frame, with what tests ask about."""

    src: str
    dst: str
    ethertype: int
    vlan: int | None
    summary: str
    direction: Direction


@dataclass(slots=True)
class Capture:
    """Records from entry to exit: `with node.capture(["tap1"]) as seen: …; seen.frames["tap1"]`."""

    leader: int
    taps: Sequence[str]
    frames: dict[str, list[Frame]] = field(init=False)
    _sniffer: subprocess.Popen[str] = field(init=False)
    _reader: threading.Thread = field(init=False)

    def __enter__(self) -> Self:
        self.frames = {tap: [] for tap in self.taps}
        argv = ["nsenter", "-t", str(self.leader), "-n", "--", sys.executable, "-I", "-S", str(_SNIFFER)]
        pipe = subprocess.PIPE
        self._sniffer = subprocess.Popen([*argv, *self.taps], stdin=pipe, stdout=pipe, stderr=pipe, text=True)
        assert self._sniffer.stdout is not None
        if self._sniffer.stdout.readline() != "ready\n":
            _, stderr = self._sniffer.communicate()
            raise LabError(stderr.strip() or "the frame sniffer ended at once")
        # Read all along: a full pipe would stop the sniffer.
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._sniffer.stdin is not None
        self._sniffer.stdin.close()
        self._reader.join(timeout=10)
        with self._sniffer:
            pass

    def _read(self) -> None:
        assert self._sniffer.stdout is not None
        for line in self._sniffer.stdout:
            tap, kind, vlan, data = line.split()
            self.frames[tap].append(parse(bytes.fromhex(data), int(kind), int(vlan)))


def watch(leader: int, taps: Sequence[str], seconds: float) -> dict[str, list[Frame]]:
    """Record for so many seconds."""
    with Capture(leader, taps) as seen:
        time.sleep(seconds)
    return seen.frames


def reach(frames: Mapping[str, Sequence[Frame]]) -> dict[str, set[str]]:
    """Return for each tap whose broadcasts arrive at the guest behind it: with beacons, who reaches it."""
    return {
        tap: {frame.src for frame in seen if frame.direction is Direction.TO_GUEST and frame.dst == BROADCAST}
        for tap, seen in frames.items()
    }


def parse(data: bytes, kind: int, stripped_vlan: int = -1) -> Frame:
    """Return the frame of these bytes; a tag that the kernel took off comes separately."""
    vlan = stripped_vlan if stripped_vlan >= 0 else None
    ethertype, payload = int.from_bytes(data[12:14], "big"), data[14:]
    if ethertype == 0x8100:
        vlan = int.from_bytes(payload[:2], "big") & 0xFFF
        ethertype, payload = int.from_bytes(payload[2:4], "big"), payload[4:]
    return Frame(
        src=data[6:12].hex(":"),
        dst=data[0:6].hex(":"),
        ethertype=ethertype,
        vlan=vlan,
        summary=_summary(ethertype, payload),
        direction=Direction.TO_GUEST if kind == _PACKET_OUTGOING else Direction.FROM_GUEST,
    )


def _summary(ethertype: int, payload: bytes) -> str:
    """Return "arp who-has A tell B", "arp A is-at", "icmp A > B request", "udp A > B:port", or ""."""
    if ethertype == 0x0806 and len(payload) >= 28:
        sender, target = IPv4Address(payload[14:18]), IPv4Address(payload[24:28])
        return f"arp who-has {target} tell {sender}" if payload[7] == 1 else f"arp {sender} is-at"
    if ethertype == 0x0800 and len(payload) >= 20:
        way = f"{IPv4Address(payload[12:16])} > {IPv4Address(payload[16:20])}"
        rest = payload[(payload[0] & 0xF) * 4 :]
        if payload[9] == 1 and rest:
            return f"icmp {way} {({0: 'reply', 8: 'request'}).get(rest[0], f'type {rest[0]}')}"
        if payload[9] in (6, 17) and len(rest) >= 4:
            return f"{'tcp' if payload[9] == 6 else 'udp'} {way}:{int.from_bytes(rest[2:4], 'big')}"
        return f"ip {way} protocol {payload[9]}"
    return ""
