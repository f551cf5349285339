"""One question over a unix socket: answers in pieces, errors, silence, nobody there."""

import os
import time
from pathlib import Path

import pytest

from hostagent.errors import DeadlineError
from hostagent.sources.unixrpc import Frames, RpcClient, RpcError
from tests.unit.sources.fake_server import FakeServer, reply


def soon(seconds: float = 30.0) -> float:
    return time.monotonic() + seconds


def test_answer_in_pieces_that_split_characters_and_braces(tmp_path: Path) -> None:
    text = "br-ä{}}\n日本 }" * 3000
    with (
        FakeServer(tmp_path / "s", lambda r: [bytes(p) for p in _pieces(reply(r, text), 4096)]),
        RpcClient(str(tmp_path / "s"), soon()) as client,
    ):
        assert client.ask("list") == text
        assert client.ask("list", "again") == text
        assert client.peer_pid() == os.getpid()


def test_error_reply(tmp_path: Path) -> None:
    with (
        FakeServer(tmp_path / "s", lambda r: [reply(r, None, '"x" is not a\nvalid command')]),
        RpcClient(str(tmp_path / "s"), soon()) as client,
        pytest.raises(RpcError, match='list: "x" is not a valid command'),
    ):
        client.ask("list")


def test_silence(tmp_path: Path) -> None:
    began = time.monotonic()
    with (
        FakeServer(tmp_path / "s", lambda _: None),
        RpcClient(str(tmp_path / "s"), soon(0.2)) as client,
        pytest.raises(DeadlineError, match="no answer to list"),
    ):
        client.ask("list")
    assert time.monotonic() - began < 10


def test_closed_in_the_middle(tmp_path: Path) -> None:
    with (
        FakeServer(tmp_path / "s", lambda _: []),
        RpcClient(str(tmp_path / "s"), soon()) as client,
        pytest.raises(ConnectionError),
    ):
        client.ask("list")


def test_nobody_there(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        RpcClient(str(tmp_path / "s"), soon())


def _pieces(whole: bytes, size: int) -> list[bytes]:
    return [whole[at : at + size] for at in range(0, len(whole), size)]


def test_frames_of_a_stream_however_it_is_cut() -> None:
    stream = '{"a": "}{"}\n {"b": "日本 }"}{"c": 1} '.encode()
    for size in (1, 2, 3, 7, len(stream)):
        frames = Frames()
        found = [each for piece in _pieces(stream, size) for each in frames.feed(piece)]
        assert found == [{"a": "}{"}, {"b": "日本 }"}, {"c": 1}]
        assert frames.feed(b'{"d": 2}') == [{"d": 2}]


def test_what_is_no_text_is_no_frame() -> None:
    with pytest.raises(RpcError, match="not UTF-8"):
        Frames().feed(b"{\xff}")
