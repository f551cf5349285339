"""Ethernet frames with ARP (RFC 826) or UDP over IPv4, as probes send them and guests may send them."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from ipaddress import IPv4Address

from hostagent.act.dhcp.packet import NOWHERE

BROADCAST_MAC = "ff:ff:ff:ff:ff:ff"
BROADCAST = "255.255.255.255"
ARP_REQUEST, ARP_REPLY = 1, 2
_ETHERNET = struct.Struct("!6s6sH")
_ARP = struct.Struct("!HHBBH6s4s6s4s")
_IPV4 = struct.Struct("!BBHHHBBH4s4s")
_UDP = struct.Struct("!HHHH")
_IS_IPV4, _IS_ARP = 0x0800, 0x0806
_IS_UDP = 17
_FRAGMENT = 0x3FFF  # more fragments, or an offset


@dataclass(frozen=True, slots=True, kw_only=True)
class Arp:
    """An ARP packet. A probe for an address has the sender 0.0.0.0 (RFC 5227)."""

    op: int
    sender_mac: str
    sender: str
    target_mac: str = "00:00:00:00:00:00"
    target: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Datagram:
    """A UDP datagram and between whom it went."""

    source_mac: str
    target_mac: str
    source: str = NOWHERE
    target: str = BROADCAST
    source_port: int
    target_port: int
    payload: bytes


def build_arp(arp: Arp) -> bytes:
    """The frame: a request to everybody, a reply to its target alone."""
    to = BROADCAST_MAC if arp.op == ARP_REQUEST else arp.target_mac
    body = _ARP.pack(
        *(1, _IS_IPV4, 6, 4, arp.op),
        *(_mac(arp.sender_mac), _ip(arp.sender), _mac(arp.target_mac), _ip(arp.target)),
    )
    return _ETHERNET.pack(_mac(to), _mac(arp.sender_mac), _IS_ARP) + body


def build_datagram(datagram: Datagram) -> bytes:
    """The frame, with both checksums."""
    source, target = _ip(datagram.source), _ip(datagram.target)
    length = _UDP.size + len(datagram.payload)
    udp = _UDP.pack(datagram.source_port, datagram.target_port, length, 0) + datagram.payload
    pseudo = source + target + struct.pack("!HH", _IS_UDP, length)
    check = _sum(pseudo + udp) or 0xFFFF  # 0 would say that there is none (RFC 768)
    udp = udp[:6] + check.to_bytes(2) + udp[8:]
    header = _IPV4.pack(0x45, 0, _IPV4.size + length, 0, 0, 64, _IS_UDP, 0, source, target)
    header = header[:10] + _sum(header).to_bytes(2) + header[12:]
    ethernet = _ETHERNET.pack(_mac(datagram.target_mac), _mac(datagram.source_mac), _IS_IPV4)
    return ethernet + header + udp


def parse_frame(data: bytes) -> Arp | Datagram | None:
    """What a frame holds; None for anything else, a fragment, or less than its headers say.

    UDP's checksum is not looked at: between two ports of one host the kernel leaves it open.
    """
    if len(data) < _ETHERNET.size:
        return None
    to, source, kind = _ETHERNET.unpack_from(data)
    if kind == _IS_ARP:
        return _parse_arp(data[_ETHERNET.size :])
    if kind == _IS_IPV4:
        return _parse_ipv4(data[_ETHERNET.size :], source.hex(":"), to.hex(":"))
    return None


def _parse_arp(body: bytes) -> Arp | None:
    if len(body) < _ARP.size:
        return None
    link, protocol, mac_length, ip_length, op, *pair = _ARP.unpack_from(body)
    if (link, protocol, mac_length, ip_length) != (1, _IS_IPV4, 6, 4):
        return None
    sender_mac, sender, target_mac, target = pair
    return Arp(
        op=op,
        sender_mac=sender_mac.hex(":"),
        sender=str(IPv4Address(sender)),
        target_mac=target_mac.hex(":"),
        target=str(IPv4Address(target)),
    )


def _parse_ipv4(packet: bytes, source_mac: str, target_mac: str) -> Datagram | None:
    if len(packet) < _IPV4.size:
        return None
    first, _, total, _, fragment, _, protocol, _, source, target = _IPV4.unpack_from(packet)
    header = (first & 0xF) * 4
    if first >> 4 != 4 or header < _IPV4.size or protocol != _IS_UDP or fragment & _FRAGMENT:
        return None
    if not header + _UDP.size <= total <= len(packet):
        return None
    source_port, target_port, length, _ = _UDP.unpack_from(packet, header)
    if not _UDP.size <= length <= total - header:
        return None
    return Datagram(
        source_mac=source_mac,
        target_mac=target_mac,
        source=str(IPv4Address(source)),
        target=str(IPv4Address(target)),
        source_port=source_port,
        target_port=target_port,
        payload=packet[header + _UDP.size : header + length],
    )


def _sum(data: bytes) -> int:
    """The Internet checksum (RFC 1071)."""
    if len(data) % 2:
        data += b"\0"
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data))
    total = (total & 0xFFFF) + (total >> 16)
    total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def _mac(text: str) -> bytes:
    return bytes.fromhex(text.replace(":", ""))


def _ip(text: str) -> bytes:
    return IPv4Address(text).packed
