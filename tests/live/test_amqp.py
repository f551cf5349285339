"""AMQP_KEEPALIVE_OFF against real sockets: two brokers in one network namespace, programs in another."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from collections import Counter
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from hostagent.config import Amqp
from hostagent.decide.amqp import judge_amqp
from hostagent.model.connections import Keepalive
from hostagent.sources.tcp import AmqpReader
from tests.lab.wait import soon
from tests.live.amqp_net import PEERS, Net, Wish, made

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from hostagent.model.connections import AmqpConnections

pytestmark = pytest.mark.lab

PROGRAMS = ("nova-compute", "neutron-openvswitch-agent", "ceilometer-polling")
KEEPIDLE = (None, 0, 60, 3500, 3700)  # no SO_KEEPALIVE; the system's 7200 s; TCP_KEEPIDLE
LIMIT = 3600.0
RUNS = 20
IDLE_SECONDS = 0.5

UNSEEN = """
import os, time
from hostagent.config import Amqp
from hostagent.decide.amqp import judge_amqp
from hostagent.sources.tcp import AmqpReader
os.setresgid(65534, 65534, 65534)
os.setresuid(65534, 65534, 65534)
for processes in ((), ("nova-",)):
    found = judge_amqp(AmqpReader(Amqp(processes=processes)).read(time.monotonic() + 5))
    print([each.id for each in found.dropped], found.nameless)
"""


@pytest.fixture(scope="module")
def net(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Net]:
    with made(tmp_path_factory.mktemp("amqp")) as found:
        yield found


@pytest.fixture
def none_left(net: Net) -> Callable[[], bool]:
    """Return a function that says whether all connections of an earlier test are gone."""
    return lambda: soon(30, lambda: not net.read(AmqpReader(Amqp())).connections)


def is_wrong(keepidle: int | None) -> bool:
    return keepidle is None or (keepidle or 7200) > LIMIT


def test_named_rightly_in_every_run(net: Net, none_left: Callable[[], bool]) -> None:
    for run in range(RUNS):
        rng = random.Random(run)
        assert none_left()
        every = [
            Wish(peer, port, idle, busy)
            for peer in PEERS
            for port in (5672, 5671)
            for idle in KEEPIDLE
            for busy in (True, False)
        ]
        rng.shuffle(every)
        wishes = {name: every[at::3] for at, name in enumerate(PROGRAMS)}
        with ExitStack() as stack:
            pids = {name: stack.enter_context(net.program(name, some)) for name, some in wishes.items()}
            time.sleep(IDLE_SECONDS)
            amqp = net.read(AmqpReader(Amqp(firewall_idle_seconds=LIMIT)))
        assert seen(amqp, pids) == wished(wishes), f"run {run}"
        assert {each.id: each.count for each in judge_amqp(amqp).dropped} == guilty(wishes), f"run {run}"


def seen(amqp: AmqpConnections, pids: dict[str, int]) -> Counter[Any]:
    found: Counter[Any] = Counter()
    for each in amqp.connections:
        dropped = bool(judge_amqp(replace(amqp, connections=(each,))).dropped)
        assert each.pid == pids[each.process]
        off = each.keepalive is Keepalive.OFF
        found[each.process, each.peer, each.port, off, dropped, each.idle_seconds < IDLE_SECONDS * 0.9] += 1
    return found


def wished(wishes: dict[str, list[Wish]]) -> Counter[Any]:
    return Counter(
        (name, each.peer, each.port, each.keepidle is None, is_wrong(each.keepidle), each.busy)
        for name, some in wishes.items()
        for each in some
    )


def guilty(wishes: dict[str, list[Wish]]) -> Counter[str]:
    found: Counter[str] = Counter()
    for name, some in wishes.items():
        for each in some:
            peer = f"[{each.peer}]" if ":" in each.peer else each.peer
            found[f"{name}/{peer}:{each.port}"] += is_wrong(each.keepidle)
    return +found


def test_a_late_keepalive_is_remembered_when_its_timer_has_run_down(net: Net) -> None:
    """A busy connection: 15 s after it was armed, a timer of 30 s looks like one of 15 s."""
    with net.program("nova-compute", [Wish(PEERS[0], 5672, 30, busy=True)]):
        reader = AmqpReader(Amqp(firewall_idle_seconds=40))
        (first,) = net.read(reader).connections
        time.sleep(1.5)
        (now,) = net.read(AmqpReader(Amqp())).connections
        (kept,) = net.read(reader).connections
    assert first.silence_seconds is not None
    assert now.silence_seconds is not None
    assert kept.silence_seconds is not None
    assert first.silence_seconds > 20
    assert now.silence_seconds < first.silence_seconds - 1.2
    assert kept.silence_seconds >= first.silence_seconds


def test_probes_keep_a_connection_from_being_silent_though_nobody_answers(net: Net) -> None:
    """While the broker is away: a timer of 1 s, a probe each second, and a firewall's limit of 2 s."""
    interval = Path("/proc/sys/net/ipv4/tcp_keepalive_intvl")
    net.inside.submit(interval.write_text, "1").result()
    reader = AmqpReader(Amqp(firewall_idle_seconds=2))
    with net.program("nova-compute", [Wish(PEERS[0], 5672, 1, busy=False)]):
        nobody = "10.9.0.2 dev veth0 lladdr 02:00:00:00:00:01 nud permanent"
        subprocess.run(("ip", "-n", net.name, "neigh", "replace", *nobody.split()), check=True)
        try:
            assert soon(30, lambda: net.read(reader).connections[0].idle_seconds > 2.1)
            verdict = judge_amqp(net.read(reader))
        finally:
            subprocess.run(("ip", "-n", net.name, *"neigh del 10.9.0.2 dev veth0".split()), check=True)
            net.inside.submit(interval.write_text, "75").result()
    assert (verdict.dropped, verdict.kept) == ((), 1)


def test_a_user_who_sees_no_processes(net: Net, none_left: Callable[[], bool]) -> None:
    assert none_left()
    with net.program("nova-compute", [Wish(PEERS[0], 5672, None, busy=False)]):
        argv = ("nsenter", f"--net=/run/netns/{net.name}", sys.executable, "-c", UNSEEN)
        done = subprocess.run(argv, capture_output=True, text=True, check=True, timeout=20)
    assert done.stdout.splitlines() == ["['unknown process/10.9.0.2:5672'] 0", "[] 1"]


def test_two_thousand_connections(net: Net, none_left: Callable[[], bool]) -> None:
    assert none_left()
    for name, keepidle in (("with", 60), ("without", None)):
        wishes = [
            Wish(peer, port, keepidle, busy=False, times=500) for peer in PEERS for port in (5672, 5671)
        ]
        with net.program("nova-compute", wishes):
            reader = AmqpReader(Amqp())
            for look in ("first", "second"):
                began, cpu = time.monotonic(), time.process_time()
                amqp = net.read(reader)
                took, cpu = time.monotonic() - began, time.process_time() - cpu
                print(f"2,000 connections {name} a keepalive, {look} look: {took:.3f} s, CPU {cpu:.3f} s")
                assert {each.process for each in amqp.connections} == {"nova-compute"}
                assert took < 3
            found = judge_amqp(amqp)
            assert (sum(each.count for each in found.dropped), found.kept) == (
                (0, 2000) if keepidle else (2000, 0)
            )
        assert none_left()
