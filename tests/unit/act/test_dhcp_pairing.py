"""Requests against answers, by the clock of the test."""

from __future__ import annotations

from hostagent.act.dhcp.frame import BROADCAST, Datagram, build_datagram
from hostagent.act.dhcp.packet import Kind, Message, build
from hostagent.act.dhcp.pairing import Counts, Pairing, judge
from hostagent.model.dhcp import Outcome


def mac(number: int) -> str:
    return (0x525400000000 + number).to_bytes(6).hex(":")


def sent(guest: int, kind: Kind = Kind.REQUEST, *, xid: int = 7, to: str = "10.0.0.1") -> bytes:
    reply = kind is not Kind.REQUEST
    message = Message(op=2 if reply else 1, xid=xid, chaddr=mac(guest), kind=kind, ciaddr="10.0.0.9")
    ports = (67, 68) if reply else (68, 67)
    return build_datagram(
        Datagram(
            source_mac=mac(guest),
            target_mac=mac(0),
            target=to,
            source_port=ports[0],
            target_port=ports[1],
            payload=build(message),
        )
    )


def test_an_answer_in_time_is_ok_and_measured() -> None:
    pairing = Pairing()
    pairing.take(sent(1), 10.0)
    pairing.take(sent(1, Kind.ACK), 10.25)
    pairing.expire(20.0)
    assert pairing.guests() == {mac(1): Outcome.OK}
    assert dict(pairing.latencies) == {mac(1): 0.25}


def test_silence_is_known_after_five_seconds() -> None:
    pairing = Pairing()
    pairing.take(sent(1), 10.0)
    pairing.expire(14.9)
    assert pairing.guests() == {}
    pairing.expire(15.0)
    assert pairing.guests() == {mac(1): Outcome.DEAD}


def test_a_guest_that_turns_to_everybody_was_not_answered() -> None:
    pairing = Pairing()
    pairing.take(sent(1), 10.0)
    pairing.take(sent(1, to=BROADCAST), 11.0)
    pairing.take(sent(1, Kind.ACK), 11.1)
    assert pairing.guests() == {mac(1): Outcome.DEAD}


def test_another_transactions_answer_counts_for_nothing() -> None:
    pairing = Pairing()
    pairing.take(sent(1, xid=1), 10.0)
    pairing.take(sent(1, Kind.ACK, xid=2), 10.1)
    pairing.take(sent(2, Kind.ACK, xid=1), 10.1)
    pairing.expire(15.0)
    assert pairing.guests() == {mac(1): Outcome.DEAD}


def test_what_was_dropped_is_not_held_against_the_server() -> None:
    pairing = Pairing()
    pairing.take(sent(1), 10.0)
    pairing.drop(3)
    pairing.expire(15.0)
    assert pairing.guests() == {}
    assert pairing.counts == Counts(seen=1, dropped=3)


def test_tables_are_bounded() -> None:
    pairing = Pairing()
    for guest in range(6000):
        pairing.take(sent(guest, xid=guest), 10.0)
    assert pairing.counts.dropped == 6000 - 1024
    pairing.expire(15.0)
    assert len(pairing.guests()) == 1024
    for guest in range(6000):
        pairing.take(sent(guest, xid=guest), 16.0)
        pairing.take(sent(guest, Kind.ACK, xid=guest), 16.0)
    assert len(pairing.guests()) == len(pairing.latencies) == 4096


def test_verdicts() -> None:
    ok, nak, dead = Outcome.OK, Outcome.NAK, Outcome.DEAD
    counts = Counts(dropped=2)
    assert judge({}, Counts()) == (Outcome.SKIPPED, "no guest has renewed yet")
    assert judge({"a": ok}, Counts()) == (Outcome.OK, "")
    assert judge({"a": ok, "b": dead}, Counts()) == (Outcome.SPLIT, "1 of 2 guests got no answer: b")
    assert judge({"b": dead}, counts)[1].endswith("; 2 packets were too many to look at")
    assert judge({"b": dead}, counts)[0] is Outcome.DEAD
    assert judge({"a": nak, "b": dead}, Counts()) == (Outcome.NAK, "1 of 2 guests were refused: a")
    assert judge({str(n): dead for n in range(8)}, Counts())[1].endswith(": 0, 1, 2, 3, 4 and 3 more")
