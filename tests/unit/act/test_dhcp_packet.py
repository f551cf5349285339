"""DHCP messages: what is built is read, and nothing that arrives disturbs."""

from __future__ import annotations

from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from hostagent.act.dhcp.frame import Arp, Datagram, build_arp, build_datagram, parse_frame
from hostagent.act.dhcp.packet import Kind, Message, build, parse
from tests.unit.act.dhcp_mutants import FRAMES, SEEDS, framed, mutant

_ADDRESSES = st.ip_addresses(v=4).map(str)
_MACS = st.binary(min_size=6, max_size=6).map(lambda raw: raw.hex(":"))
_OPTIONS = st.dictionaries(st.integers(54, 254), st.binary(max_size=255), max_size=6)
_MESSAGES = st.builds(
    Message,
    op=st.sampled_from((1, 2)),
    xid=st.integers(0, 2**32 - 1),
    chaddr=_MACS,
    kind=st.none() | st.sampled_from(Kind),
    broadcast=st.booleans(),
    ciaddr=_ADDRESSES,
    yiaddr=_ADDRESSES,
    options=_OPTIONS,
)
_PORTS = st.integers(0, 65535)


@given(_MESSAGES)
def test_what_is_built_is_read(message: Message) -> None:
    read = parse(build(message))
    assert read is not None
    options = dict(read.options)
    kind = options.pop(53, b"")
    assert kind == (b"" if message.kind is None else bytes([message.kind]))
    assert options == message.options
    for field in ("op", "xid", "chaddr", "kind", "broadcast", "ciaddr", "yiaddr"):
        assert getattr(read, field) == getattr(message, field)


@given(st.builds(Arp, op=_PORTS, sender_mac=_MACS, sender=_ADDRESSES, target_mac=_MACS, target=_ADDRESSES))
def test_arp_is_read_as_built(arp: Arp) -> None:
    assert parse_frame(build_arp(arp)) == arp


@given(
    st.builds(
        Datagram,
        source_mac=_MACS,
        target_mac=_MACS,
        source=_ADDRESSES,
        target=_ADDRESSES,
        source_port=_PORTS,
        target_port=_PORTS,
        payload=st.binary(max_size=600),
    ),
    st.binary(max_size=20),
)
def test_a_datagram_is_read_as_built_whatever_pads_it(datagram: Datagram, padding: bytes) -> None:
    assert parse_frame(build_datagram(datagram) + padding) == datagram


@settings(max_examples=3000, deadline=None, derandomize=True)
@given(st.binary(max_size=700), st.integers(0, len(SEEDS) - 1), st.integers(0, 320))
def test_no_bytes_raise(noise: bytes, seed: int, at: int) -> None:
    good = SEEDS[seed]
    for data in (noise, good[:at] + noise, good[:at] + noise + good[at + len(noise) :]):
        parse(data)
        parse_frame(data)
        parse_frame(framed(data))


def test_no_mutant_raises() -> None:
    """`make soak-dhcp` tries a million."""
    random = Random(20261123)
    read = sum(parse(mutant(random, SEEDS)) is not None for _ in range(30_000))
    framed_read = sum(parse_frame(mutant(random, FRAMES)) is not None for _ in range(30_000))
    assert read > 1000  # the mutants reach what they are meant to reach
    assert framed_read > 1000


def overloaded(flag: int, file: bytes, sname: bytes) -> bytes:
    raw = bytearray(SEEDS[0][:240])
    raw[44:108] = sname.ljust(64, b"\0")
    raw[108:236] = file.ljust(128, b"\0")
    return bytes(raw) + bytes([52, 1, flag, 12, 1, 97, 255])


def test_options_in_file_and_sname_are_read_where_option_52_says_so() -> None:
    file, sname = bytes([53, 1, 5, 12, 1, 98, 255]), bytes([54, 4, 10, 0, 0, 1, 12, 1, 99, 255])
    assert [(m.kind, m.server, m.options[12]) for m in each(file, sname, 0, 1, 2, 3)] == [
        (None, "", b"a"),
        (Kind.ACK, "", b"ab"),
        (None, "10.0.0.1", b"ac"),
        (Kind.ACK, "10.0.0.1", b"abc"),
    ]


def each(file: bytes, sname: bytes, *flags: int) -> list[Message]:
    found = [parse(overloaded(flag, file, sname)) for flag in flags]
    return [message for message in found if message is not None]


def test_an_option_that_is_longer_than_the_packet_ends_them() -> None:
    read = parse(SEEDS[0][:240] + bytes([53, 1, 1, 50, 200, 1, 2]))
    assert read is not None
    assert dict(read.options) == {53: b"\1"}


def test_what_is_no_ethernet_dhcp_is_none() -> None:
    for at, value in ((0, 3), (1, 6), (2, 7), (236, 0)):
        raw = bytearray(SEEDS[0])
        raw[at] = value
        assert parse(bytes(raw)) is None
    assert parse(SEEDS[0][:239]) is None


def test_fragments_and_short_headers_are_none() -> None:
    good = FRAMES[0]
    for at, value in ((14, 0x44), (14, 0x65), (17, 0xFF), (20, 0x20), (21, 1), (23, 6), (38, 255)):
        raw = bytearray(good)
        raw[at] = value
        assert parse_frame(bytes(raw)) is None, at
