"""Connections of this process over loopback, as this kernel tells them: keepalive, silence, holder."""

import os
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from hostagent.config import Amqp
from hostagent.model.connections import Connection, Keepalive
from hostagent.sources.deadline import ReadError
from hostagent.sources.tcp import AmqpReader
from hostagent.sources.tcp_holders import Holders, program_name


@dataclass
class Link:
    """A connection to a port of its own; ``there`` is the broker's end."""

    here: socket.socket
    there: socket.socket
    settings: Amqp

    def keep(self, idle: int) -> None:
        self.here.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        self.here.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, idle)

    def read(self, reader: AmqpReader | None = None) -> Connection:
        (found,) = (reader or self.reader()).read(time.monotonic() + 5).connections
        return found

    def reader(self) -> AmqpReader:
        return AmqpReader(self.settings)


@pytest.fixture(params=["127.0.0.1", "::1"])
def link(request: pytest.FixtureRequest) -> Iterator[Link]:
    family = socket.AF_INET6 if ":" in request.param else socket.AF_INET
    with socket.create_server((request.param, 0), family=family) as server:
        address = server.getsockname()
        with socket.create_connection(address[:2]) as here, server.accept()[0] as there:
            yield Link(here, there, Amqp(ports=(address[1],)))


def test_without_a_keepalive(link: Link) -> None:
    found = link.read()
    assert (found.keepalive, found.silence_seconds) == (Keepalive.OFF, None)
    assert found.peer == found.local == link.here.getpeername()[0]
    assert found.port == link.settings.ports[0]
    assert found.pid == os.getpid()
    assert found.process


def test_with_one(link: Link) -> None:
    link.keep(600)
    time.sleep(0.1)
    found = link.read()
    assert found.keepalive is Keepalive.ON
    assert found.silence_seconds == pytest.approx(600, abs=0.5)
    assert 0.09 < found.idle_seconds < 2


def test_a_keepalive_that_is_shortened_or_turned_off(link: Link) -> None:
    reader = link.reader()
    link.keep(600)
    assert link.read(reader).silence_seconds == pytest.approx(600, abs=0.5)
    link.keep(60)
    assert link.read(reader).silence_seconds == pytest.approx(60, abs=0.5)
    link.here.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 0)
    assert link.read(reader).keepalive is Keepalive.OFF


def test_a_pending_window_probe_hides_the_timer_but_not_what_was_seen_before(link: Link) -> None:
    reader = link.reader()
    link.keep(600)
    link.read(reader)
    link.here.settimeout(0.1)
    with pytest.raises(TimeoutError):
        link.here.sendall(bytes(1 << 26))
    assert link.read().keepalive is Keepalive.HIDDEN
    found = link.read(reader)
    assert found.keepalive is Keepalive.ON
    assert found.silence_seconds == pytest.approx(600, abs=0.5)


def test_closed_ones_are_gone(link: Link) -> None:
    reader = link.reader()
    link.read(reader)
    link.here.close()
    assert reader.read(time.monotonic() + 5).connections == ()


def test_other_ports_and_the_brokers_own_end_are_not_listed(link: Link) -> None:
    assert AmqpReader(replace(link.settings, ports=(1,))).read(time.monotonic() + 5).connections == ()
    assert link.read().local == link.here.getsockname()[0]


def test_no_time_left(link: Link) -> None:
    """The kernel answers at once, so even then there is an answer; it is only not looked again."""
    found = link.reader().read(time.monotonic()).connections
    assert [each.keepalive for each in found] == [Keepalive.HIDDEN]


def test_no_sockets_allowed(link: Link, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(socket, "socket", refuse)
    with pytest.raises(ReadError, match="is AF_NETLINK allowed in this unit"):
        link.read()


@pytest.mark.parametrize(
    ("comm", "command", "name"),
    [
        ("nova-compute", "/usr/bin/python3 /usr/bin/nova-compute --config-file x", "nova-compute"),
        (
            "neutron-openvsw",
            "/usr/bin/python3 /usr/bin/neutron-openvswitch-agent",
            "neutron-openvswitch-agent",
        ),
        ("python3.11", "python3.11 -u /opt/agents/ceilometer-polling", "ceilometer-polling"),
        ("python3", "python3 -c import(x)", "python3"),
        ("python3", "python3", "python3"),
        ("fifteen-letters", "/sbin/else", "fifteen-letters"),
        ("a b/c\x1b[m", "", "a?b?c?[m"),
    ],
)
def test_what_a_process_is_called(comm: str, command: str, name: str) -> None:
    assert program_name(comm, [*command.split(" "), ""]) == name


def test_holders_are_found_again_after_a_socket_moved() -> None:
    with socket.socket() as one, socket.socket() as other:
        inodes = [os.fstat(each.fileno()).st_ino for each in (one, other)]
        holders = Holders("/proc")
        assert {each.pid for each in holders.of(inodes).values()} == {os.getpid()}
        moved = one.dup()
        one.close()
        assert holders.of(inodes).keys() == set(inodes)
        moved.close()
        assert holders.of(inodes).keys() == {inodes[1]}


def test_holders_that_may_not_be_seen(tmp_path: Path) -> None:
    assert Holders(str(tmp_path)).of([5]) == {}
    assert Holders(str(tmp_path / "none")).of([5]) == {}
