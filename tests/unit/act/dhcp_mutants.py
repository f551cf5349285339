"""Good packets, and what becomes of them in a guest's hands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hostagent.act.dhcp.frame import Datagram, build_datagram
from hostagent.act.dhcp.packet import Kind, Message, build

if TYPE_CHECKING:
    from random import Random

SEEDS = tuple(
    build(
        Message(
            op=2 if kind in {Kind.OFFER, Kind.ACK, Kind.NAK} else 1,
            xid=0x12345678,
            chaddr="52:54:00:00:00:01",
            kind=kind,
            ciaddr="10.0.0.9",
            yiaddr="10.0.0.9",
            options={52: b"\3", 54: b"\x0a\0\0\1", 51: b"\0\0\0\x78", 82: bytes(40)},
        )
    )
    for kind in Kind
)


def framed(payload: bytes) -> bytes:
    """The payload as it comes off the wire."""
    return build_datagram(
        Datagram(
            source_mac="52:54:00:00:00:01",
            target_mac="52:54:00:00:00:02",
            source="10.0.0.9",
            target="10.0.0.1",
            source_port=68,
            target_port=67,
            payload=payload,
        )
    )


FRAMES = tuple(framed(each) for each in SEEDS)


def mutant(random: Random, seeds: tuple[bytes, ...]) -> bytes:
    """One of ``seeds`` with bytes changed, cut, doubled or swapped for another's."""
    data = bytearray(random.choice(seeds))
    for _ in range(random.randint(1, 6)):
        at = random.randrange(len(data)) if data else 0
        match random.randrange(5):
            case 0 if data:
                data[at] = random.choice((0, 1, 3, 52, 127, 255, random.randrange(256)))
            case 1:
                del data[at:]
            case 2:
                data[at:at] = random.randbytes(random.randrange(64))
            case 3:
                data[at : at + random.randrange(64)] = b""
            case _:
                data += random.choice(seeds)[at:]
    return bytes(data[:2048])
