"""Classic BPF (packet(7), SO_ATTACH_FILTER): what else is on the wire never reaches this process.

The offsets are those of an Ethernet frame; a VLAN's tag is not in the data of a packet socket.
"""

from __future__ import annotations

import ctypes
import socket
import struct
from dataclasses import dataclass
from ipaddress import IPv4Address

# linux/bpf_common.h
_LD_WORD, _LD_HALF, _LD_BYTE = 0x20, 0x28, 0x30  # of a fixed offset
_LDX_WORD, _LDX_HALF, _LDX_BYTE = 0x40, 0x48, 0x50  # of X + an offset
_HEADER_TO_X = 0xB1  # X = 4 * (byte & 0xf): the length of the IPv4 header
_IF_EQUAL, _IF_BITS = 0x15, 0x45
_RETURN = 0x06
_PACKET_TYPE = 0xFFFFF004  # SKF_AD_OFF + SKF_AD_PKTTYPE
_FROM_US = 4  # PACKET_OUTGOING
_ATTACH_FILTER = 26  # SO_ATTACH_FILTER
_SNAP_BYTES = 1514
_INSTRUCTION = struct.Struct("=HBBI")


@dataclass(frozen=True, slots=True)
class _If:
    """A test that must hold (or, ``holds`` False, must not), or it goes on at the label ``other``."""

    code: int
    value: int
    holds: bool = True
    other: str = "drop"


_Line = tuple[int, int] | _If | str  # an instruction, a test, a label


_UDP_HEAD: tuple[_Line, ...] = (
    (_LD_HALF, 12),
    _If(_IF_EQUAL, 0x0800),
    (_LD_BYTE, 23),
    _If(_IF_EQUAL, 17),
    (_LD_HALF, 20),
    _If(_IF_BITS, 0x3FFF, holds=False),  # no fragments
    (_HEADER_TO_X, 14),
)
_TAKE: tuple[_Line, ...] = ((_RETURN, _SNAP_BYTES),)


def answers() -> bytes:
    """For a probe's port: ARP, and UDP from port 67."""
    return _assemble(
        (
            (_LD_HALF, 12),
            _If(_IF_EQUAL, 0x0806, other="udp"),
            *_TAKE,
            "udp",
            *_UDP_HEAD,
            (_LDX_HALF, 14),
            _If(_IF_EQUAL, 67),
            *_TAKE,
        )
    )


def renewals(server: str) -> bytes:
    """For a server's own link: requests with a ciaddr that came for it or for everybody, and its replies.

    A guest can't forge a reply, as the kernel knows which packets are this host's own.
    """
    address = int(IPv4Address(server))
    return _assemble(
        (
            *_UDP_HEAD,
            (_LD_WORD, _PACKET_TYPE),
            _If(_IF_EQUAL, _FROM_US, holds=False, other="sent"),
            (_LD_WORD, 30),
            _If(_IF_EQUAL, address, holds=False, other="came"),
            _If(_IF_EQUAL, 0xFFFFFFFF),
            "came",
            (_LDX_HALF, 16),
            _If(_IF_EQUAL, 67),
            (_LDX_BYTE, 22),
            _If(_IF_EQUAL, 1),
            (_LDX_WORD, 34),
            _If(_IF_EQUAL, 0, holds=False),
            *_TAKE,
            "sent",
            (_LD_WORD, 26),
            _If(_IF_EQUAL, address),
            (_LDX_HALF, 14),
            _If(_IF_EQUAL, 67),
            (_LDX_BYTE, 22),
            _If(_IF_EQUAL, 2),
            *_TAKE,
        )
    )


def attach(number: socket.socket, program: bytes) -> None:
    """From now on ``number`` receives only what the program takes."""
    held = ctypes.create_string_buffer(program, len(program))
    fprog = struct.pack("@HP", len(program) // _INSTRUCTION.size, ctypes.addressof(held))
    number.setsockopt(socket.SOL_SOCKET, _ATTACH_FILTER, fprog)


def _assemble(lines: tuple[_Line, ...]) -> bytes:
    places = {"drop": 0}
    real: list[tuple[int, int] | _If] = []
    for line in lines:
        if isinstance(line, str):
            places[line] = len(real)
        else:
            real.append(line)
    places["drop"] = len(real)
    made = b""
    for at, line in enumerate(real):
        if isinstance(line, _If):
            away = places[line.other] - at - 1
            yes, no = (0, away) if line.holds else (away, 0)
            made += _INSTRUCTION.pack(line.code, yes, no, line.value)
        else:
            made += _INSTRUCTION.pack(line[0], 0, 0, line[1])
    return made + _INSTRUCTION.pack(_RETURN, 0, 0, 0)
