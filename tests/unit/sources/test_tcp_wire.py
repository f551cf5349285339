"""Answers of NETLINK_SOCK_DIAG, as a kernel 6.18 gave them, and as no kernel should."""

import errno
import random
import struct
from pathlib import Path

import pytest

from hostagent.model.host import Trouble
from hostagent.sources.deadline import ReadError
from hostagent.sources.tcp_wire import parse_answer

# One line for IPv4 (with TCP_KEEPIDLE 600, half a second idle), one for IPv6 (two without a keepalive).
ANSWERS = [bytes.fromhex(line) for line in Path(__file__).with_name("tcp_answers.hex").read_text().split()]
SIZE = 408  # of each connection's message
TIMER_AT, PROBES_AT, FAMILY_AT, AGES_AT = 18, 19, 16, 172  # in a message


def end(kind: int, code: int, sequence: int = 1) -> bytes:
    return struct.pack("=IHHIIi", 20, kind, 2, sequence, 0, code)


def changed(at: int, value: int) -> bytes:
    data = bytearray(ANSWERS[0])
    data[at] = value
    return bytes(data)


def test_ipv4() -> None:
    [found], last = parse_answer(ANSWERS[0], 1)
    assert not last
    assert (found.local, found.peer, found.port) == ("127.0.0.1", "127.0.0.2", 5672)
    assert (found.hidden, found.probing) == (False, False)
    assert found.due_seconds == pytest.approx(599.5, abs=0.1)
    assert found.idle_seconds == pytest.approx(0.5, abs=0.1)


@pytest.mark.parametrize("ages", [(300, 0, 5000, 6000), (5000, 0, 300, 6000), (5000, 0, 6000, 300)])
def test_any_packet_ends_the_silence(ages: tuple[int, ...]) -> None:
    """Data sent, data received, an acknowledgement (of a keepalive probe, too); one is never set."""
    data = bytearray(ANSWERS[0])
    struct.pack_into("=IIII", data, AGES_AT, *ages)
    [found], _ = parse_answer(bytes(data), 1)
    assert found.idle_seconds == 0.3


def test_ipv6_and_ipv4_in_its_clothes() -> None:
    found, _ = parse_answer(ANSWERS[1], 2)
    assert {each.peer for each in found} == {"::1", "127.0.0.2"}
    assert [(each.due_seconds, each.hidden) for each in found] == [(None, False)] * 2
    assert len({each.cookie for each in found} | {each.inode for each in found}) == 4


@pytest.mark.parametrize("timer", [1, 4])
def test_another_timer_hides_the_keepalive(timer: int) -> None:
    [found], _ = parse_answer(changed(TIMER_AT, timer), 1)
    assert (found.hidden, found.due_seconds) == (True, None)


def test_probes_without_an_answer() -> None:
    [found], _ = parse_answer(changed(PROBES_AT, 2), 1)
    assert found.probing


def test_the_end_and_what_is_of_another_question() -> None:
    assert parse_answer(end(3, 0), 1) == ([], True)
    found, last = parse_answer(ANSWERS[0] + end(3, 0), 1)
    assert (len(found), last) == (1, True)
    assert parse_answer(ANSWERS[0] + end(3, 0), 7) == ([], False)


@pytest.mark.parametrize(
    ("code", "trouble"),
    [
        (errno.ENOENT, Trouble.ABSENT),
        (errno.EPERM, Trouble.DENIED),
        (errno.EINVAL, Trouble.INVALID),
    ],
)
@pytest.mark.parametrize("kind", [2, 3])
def test_the_kernel_refuses(kind: int, code: int, trouble: Trouble) -> None:
    with pytest.raises(ReadError) as caught:
        parse_answer(end(kind, -code), 1)
    assert caught.value.trouble is trouble
    assert caught.value.reason.endswith(")")


def test_an_unknown_family() -> None:
    with pytest.raises(ReadError, match="address family 77"):
        parse_answer(changed(FAMILY_AT, 77), 1)


def test_a_kernel_that_adds_no_tcp_info() -> None:
    message = bytearray(ANSWERS[0][: 16 + 72])
    message[0:4] = struct.pack("=I", len(message))
    with pytest.raises(ReadError, match="no tcp_info"):
        parse_answer(bytes(message), 1)


def test_an_answer_that_is_cut_off_anywhere() -> None:
    whole = ANSWERS[1]
    for length in range(1, len(whole)):
        if length == SIZE:
            assert len(parse_answer(whole[:length], 2)[0]) == 1
            continue
        with pytest.raises(ReadError, match="garbled"):
            parse_answer(whole[:length], 2)


def test_garbage_is_a_read_error_or_nothing_worse() -> None:
    rng = random.Random(5)
    troubles = []
    for _ in range(4000):
        data = bytearray(ANSWERS[1])
        for _ in range(rng.choice((1, 3, 40))):
            data[rng.randrange(min(len(data), rng.choice((24, 160, 816))))] = rng.randrange(256)
        try:
            parse_answer(bytes(data), 2)
        except ReadError as error:
            troubles.append(error.trouble)
    assert len(troubles) > 400
    assert set(troubles) == {Trouble.INVALID}
