"""The agent's socket against clients of every kind, all of them real."""

from __future__ import annotations

import json
import os
import threading
import time
from contextlib import ExitStack, closing, suppress
from typing import TYPE_CHECKING

import pytest

from hostagent.daemon import serve
from tests.unit.daemon.sockets import (
    asked,
    connect,
    new_threads,
    open_descriptors,
    read_line,
    sleeping,
    started,
    wait_for,
    wake,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def path(tmp_path: Path) -> Iterator[str]:
    path = str(tmp_path / "run" / "agent.sock")
    with closing(started(path)):
        yield path


def test_a_line_asks_and_a_line_answers_by_the_peers_credentials(path: str) -> None:
    answer = asked(path)
    assert answer == {
        "ok": True,
        "request": {"ask": "x"},
        "peer": [os.getpid(), os.getuid(), os.getgid()],
    }


def test_one_connection_asks_again_and_again_also_before_it_is_answered(path: str) -> None:
    with connect(path) as connection, connection.makefile("rb") as file:
        connection.sendall(b'{"n": 1}\n{"n": 2}\n{"n"')
        assert [json.loads(file.readline())["request"]["n"] for _ in range(2)] == [1, 2]
        connection.sendall(b": 3}\n")
        assert json.loads(file.readline())["request"]["n"] == 3


NO_REQUEST = "a request is a JSON object on one line"


@pytest.mark.parametrize(
    ("line", "error"),
    [
        (b"\n", NO_REQUEST),
        (b"GET / HTTP/1.1\r\n", NO_REQUEST),
        (b"[1]\n", NO_REQUEST),
        (b"null\n", NO_REQUEST),
        (b'{"a": }\n', NO_REQUEST),
        (b"\xff\xfe\x00{}\n", NO_REQUEST),
        (b"[" * 60_000 + b"\n", NO_REQUEST),
        (b'{"a": ' + b"9" * 60_000 + b"}\n", NO_REQUEST),
        (b'{"a": "' + b"x" * 600_000 + b'"}\n', "a request has at most 524288 bytes"),
        (b"x" * 1_000_000, "a request has at most 524288 bytes"),
        (b'{"ask": "fail"}\n', "two lines"),
        (
            b'{"ask": "crash"}\n',
            "internal error of the agent: ZeroDivisionError (journalctl -u hostagent)",
        ),
    ],
)
def test_what_is_no_request_gets_one_line(path: str, line: bytes, error: str) -> None:
    assert asked(path, line) == {"error": error}
    assert asked(path)["ok"]


def test_524288_bytes_are_a_request(path: str) -> None:
    line = b'{"ask": "' + b"x" * (524288 - 11) + b'"}\n'
    assert len(line) == 524289
    assert asked(path, line)["ok"]


def test_a_request_that_trickles_in_is_cut_off(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serve, "REQUEST_SECONDS", 0.5)
    begin = time.monotonic()
    with connect(path) as connection, suppress(BrokenPipeError, ConnectionResetError):
        while time.monotonic() < begin + 30:
            connection.sendall(b" ")
            time.sleep(0.05)
    assert time.monotonic() - begin < 5


def test_silent_and_trickling_clients_delay_nobody(path: str) -> None:
    with ExitStack() as stack:
        for _ in range(serve.MOST_CLIENTS):
            stack.enter_context(connect(path)).sendall(b"{")
        begin = time.monotonic()
        for _ in range(50):
            assert asked(path)["ok"]
        assert time.monotonic() - begin < 20


def test_the_client_that_was_silent_for_longest_makes_room(path: str) -> None:
    with ExitStack() as stack:
        first = stack.enter_context(connect(path))
        first.sendall(b"{}\n")
        assert read_line(first)["ok"]
        rest = [stack.enter_context(connect(path)) for _ in range(serve.MOST_CLIENTS - 1)]
        for each in rest:
            each.sendall(b"{}\n")
            assert read_line(each)["ok"]
        assert asked(path)["ok"]
        assert first.recv(1) == b""
        rest[-1].sendall(b"{}\n")
        assert read_line(rest[-1])["ok"]


def test_who_is_being_answered_keeps_its_place(path: str) -> None:
    wake.clear()
    with ExitStack() as stack:
        busy = [stack.enter_context(connect(path)) for _ in range(serve.MOST_CLIENTS)]
        for each in busy:
            each.sendall(b'{"ask": "sleep"}\n')
        wait_for(lambda: len(sleeping) == serve.MOST_CLIENTS)
        with connect(path) as connection:
            assert read_line(connection) == {
                "error": "the agent is answering too many at once: try again in a moment"
            }
        wake.set()
        assert all(read_line(each)["ok"] for each in busy)
    assert asked(path)["ok"]


def test_who_does_not_take_its_answer_is_left(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serve, "REQUEST_SECONDS", 0.3)
    with connect(path) as connection:
        connection.sendall(b'{"ask": "much"}\n')
        wait_for(lambda: "answer" in {each.name for each in threading.enumerate()})
        wait_for(lambda: "answer" not in {each.name for each in threading.enumerate()})
    assert len(asked(path, b'{"ask": "much"}\n')["much"]) == 8 << 20


def test_ten_thousand_connections_leave_nothing_behind(path: str) -> None:
    asked(path)
    wait_for(lambda: "answer" not in {each.name for each in threading.enumerate()})
    threads, descriptors = set(threading.enumerate()), open_descriptors()
    most = 0
    for number in range(10_000):
        with connect(path) as connection:
            if number % 3 == 0:
                connection.sendall(b"{}\n")
                assert connection.recv(1 << 16)
            elif number % 3 == 1:
                connection.sendall(b"garbage")
        if number % 100 == 0:
            most = max(most, len(new_threads(threads)))
    assert most <= serve.MOST_CLIENTS + 2
    wait_for(lambda: not new_threads(threads))
    wait_for(lambda: not open_descriptors() - descriptors)
    assert asked(path)["ok"]


def test_a_thousand_at_once_are_served_or_dropped_but_never_more_than_a_few(path: str) -> None:
    threads = set(threading.enumerate())
    with ExitStack() as stack:
        for _ in range(900):
            stack.enter_context(connect(path))
        assert asked(path)["ok"]
        assert len(new_threads(threads)) <= serve.MOST_CLIENTS + 1
