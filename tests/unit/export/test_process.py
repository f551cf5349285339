"""The process on loopback: its paths, hostile clients, what it costs, and its end."""

from __future__ import annotations

import contextlib
import signal
import socket
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from hostagent.export.server import MOST_CONNECTIONS, REQUEST_SECONDS
from tests.lab import soon
from tests.unit.export.data import full, written

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.unit.export.running import Running


def test_paths_and_methods(start: Callable[[], Running]) -> None:
    exporter = start()
    assert exporter.ask("/-/healthy") == (200, "healthy\n")
    status, text = exporter.ask("/-/ready")
    assert status == 503
    assert "published.json: no such file" in text
    assert "hostagent_agent_up 0.0" in exporter.ask("/metrics")[1]
    written(exporter.folder / "published.json", full(time.time()))
    assert exporter.ask("/-/ready") == (200, "ready\n")
    assert "hostagent_agent_up 1.0" in exporter.ask("/metrics?x=y")[1]
    assert "hostagent_exporter_scrapes_total 3.0" in exporter.ask("/metrics")[1]
    assert '<a href="/metrics">' in exporter.ask("/")[1]
    assert exporter.ask("/metrics", "HEAD") == (200, "")
    assert exporter.ask("/nowhere")[0] == 404
    assert exporter.ask("/metrics/")[0] == 404
    for method in ("POST", "PUT", "DELETE", "OPTIONS", "TRACE"):
        assert exporter.ask("/metrics", method)[0] == 405
    head = exporter.raw(b"GET /metrics HTTP/1.1\r\n\r\n").partition(b"\r\n\r\n")[0]
    assert b"Content-Type: text/plain; version=0.0.4; charset=utf-8" in head
    assert b"Allow: GET, HEAD" in exporter.raw(b"PUT / HTTP/1.1\r\nContent-Length: 5\r\n\r\nabcde")


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"\r\n\r\n", b"400"),
        (b"GET /metrics\r\n\r\n", b"400"),
        (b"GET /metrics HTTP/2.0\r\n\r\n", b"400"),
        (b"GET //[ HTTP/1.1\r\n\r\n", b"400"),
        (b"GET /\xff HTTP/1.1\r\n\r\n", b"400"),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"400"),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\n\n", b"400"),
        (b"GET / HTTP/1.1\r\nX: " + b"x" * 40_000, b"431"),
        (b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 10_000, b"431"),
        (b"GET http://elsewhere/-/healthy HTTP/1.0\n\n", b"200"),
    ],
)
def test_what_is_no_request(start: Callable[[], Running], sent: bytes, status: bytes) -> None:
    exporter = start()
    assert exporter.raw(sent).split()[1] == status
    assert exporter.ask("/-/healthy")[0] == 200
    assert exporter.log.read_text().count("\n") == 1  # clients write nothing into the journal


def test_a_crowd_of_idle_and_slow_clients_delays_nobody(start: Callable[[], Running]) -> None:
    exporter = start()
    written(exporter.folder / "published.json", full(time.time()))
    with contextlib.ExitStack() as clients:
        began, opened = time.monotonic(), []
        for number in range(3 * MOST_CONNECTIONS):
            client = clients.enter_context(socket.create_connection(("127.0.0.1", exporter.port), timeout=10))
            client.sendall(
                (b"", b"GET /metrics HT", b"POST / HTTP/1.1\r\nContent-Length: 9\r\nX:")[number % 3]
            )
            opened.append(client)
        took = []
        while time.monotonic() - began < REQUEST_SECONDS + 1:
            for client in opened[-8:]:
                with contextlib.suppress(OSError):
                    client.send(b"x")  # a byte now and then must not buy them more time
            asked = time.monotonic()
            assert exporter.ask("/metrics")[0] == 200
            took.append(time.monotonic() - asked)
            assert exporter.threads() <= MOST_CONNECTIONS + 2
            time.sleep(0.1)
        assert max(took) < 1
        assert soon(30, lambda: exporter.threads() == 1)
    found = exporter.ask("/metrics")[1]
    assert 'reason="full"} 0.0' not in found
    assert 'reason="slow"} 0.0' not in found


def test_idle_costs_nothing(start: Callable[[], Running]) -> None:
    exporter = start()
    exporter.ask("/metrics")

    def ticks() -> int:
        stat = Path(f"/proc/{exporter.process.pid}/stat").read_text()
        return sum(map(int, stat.rpartition(")")[2].split()[11:13]))

    assert soon(30, lambda: exporter.threads() == 1)
    before = ticks()
    time.sleep(1)
    assert ticks() - before <= 1


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT"])
def test_it_ends_at_once_with_clients_hanging_on(start: Callable[[], Running], name: str) -> None:
    exporter = start()
    with socket.create_connection(("127.0.0.1", exporter.port)):
        assert soon(30, lambda: exporter.threads() == 2)
        began = time.monotonic()
        exporter.process.send_signal(getattr(signal, name))
        assert exporter.process.wait(30) == 0
        assert time.monotonic() - began < REQUEST_SECONDS / 2
