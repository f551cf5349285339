"""Which connections to brokers are dropped in silence, and in which words."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hostagent.decide.amqp import AmqpVerdict, judge_amqp, span
from hostagent.model.connections import AmqpConnections, Connection, Keepalive

OFF = Connection(
    local="10.0.0.1",
    peer="10.0.0.9",
    port=5672,
    keepalive=Keepalive.OFF,
    idle_seconds=30,
    process="nova-compute",
    pid=101,
)
KEPT = replace(OFF, keepalive=Keepalive.ON, silence_seconds=60.0)
LATE = replace(KEPT, silence_seconds=7200.0)
HIDDEN = replace(OFF, keepalive=Keepalive.HIDDEN)


def judge(*connections: Connection, processes: tuple[str, ...] = ()) -> AmqpVerdict:
    return judge_amqp(
        AmqpConnections(connections=connections, ports=(5672,), processes=processes, limit_seconds=3600)
    )


def details(verdict: AmqpVerdict) -> dict[str, str]:
    return {each.id: each.detail for each in verdict.dropped}


def test_one_of_each() -> None:
    found = judge(OFF, KEPT, LATE, HIDDEN)
    assert (found.kept, found.hidden, found.local, found.nameless) == (1, 1, 0, 0)
    assert [each.count for each in found.dropped] == [2]
    assert details(found) == {
        "nova-compute/10.0.0.9:5672": (
            "1 connection without a keepalive, 1 connection with a keepalive only after 2 h; "
            "silent for 30 s; process 101"
        )
    }


@pytest.mark.parametrize(("silence", "dropped"), [(3600.0, 0), (3600.1, 1), (0.0, 0), (None, 0)])
def test_the_limit(silence: float | None, dropped: int) -> None:
    assert len(judge(replace(KEPT, silence_seconds=silence)).dropped) == dropped


def test_two_hundred_are_one_object() -> None:
    many = [replace(OFF, pid=100 + number % 8, idle_seconds=float(number * 60)) for number in range(200)]
    assert details(judge(*many)) == {
        "nova-compute/10.0.0.9:5672": (
            "200 connections without a keepalive; silent for 0 s to 3.32 h; "
            "processes 100, 101, 102, 103, 104 and 3 more"
        )
    }


def test_an_object_for_each_program_broker_and_port() -> None:
    other = replace(OFF, process="neutron-dhcp-agent")
    far = replace(OFF, peer="2001:db8::9")
    assert list(details(judge(OFF, other, far, replace(OFF, port=5671)))) == [
        "neutron-dhcp-agent/10.0.0.9:5672",
        "nova-compute/10.0.0.9:5671",
        "nova-compute/10.0.0.9:5672",
        "nova-compute/[2001:db8::9]:5672",
    ]


@pytest.mark.parametrize(
    ("local", "peer"), [("127.0.0.1", "127.0.0.2"), ("::1", "::1"), ("10.0.0.1", "10.0.0.1")]
)
def test_what_stays_on_this_host_passes_no_firewall(local: str, peer: str) -> None:
    found = judge(replace(OFF, local=local, peer=peer))
    assert (found.dropped, found.local, found.kept) == ((), 1, 0)


def test_only_the_processes_that_are_meant() -> None:
    other, nameless = replace(OFF, process="curl"), replace(OFF, process="", pid=None)
    found = judge(OFF, other, nameless, KEPT, processes=("nova-", "neutron-"))
    assert list(details(found)) == ["nova-compute/10.0.0.9:5672"]
    assert (found.kept, found.nameless) == (1, 1)
    found = judge(nameless)
    assert details(found) == {
        "unknown process/10.0.0.9:5672": "1 connection without a keepalive; silent for 30 s"
    }


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.4, "0 s"), (119, "119 s"), (120, "2 min"), (3600, "60 min"), (7199.6, "2 h"), (9000, "2.5 h")],
)
def test_spans(seconds: float, words: str) -> None:
    assert span(seconds) == words
