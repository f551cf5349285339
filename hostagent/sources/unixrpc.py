"""One JSON-RPC question over a unix socket, as ovsdb-server (RFC 7047) and vswitchd's unixctl speak it.

ovs.unixctl's own client waits for ever and decodes UTF-8 in pieces of 4096 bytes, which breaks on a character
that straddles two of them; a hung vswitchd and a hostile name must not matter here.
"""

from __future__ import annotations

import json
import socket
import struct
import time
from typing import Self

from hostagent.errors import DeadlineError

_DECODER = json.JSONDecoder()
_BIGGEST = 256 << 20  # bytes; a flow dump of a million rules is about half of it


class RpcError(Exception):
    """The other side answered with an error, or with what is no answer."""


class Frames:
    """The objects in a stream of JSON, which has no delimiters: one is whole when it parses."""

    def __init__(self) -> None:
        self._received = bytearray()

    def feed(self, piece: bytes) -> list[object]:
        """The objects that are whole with this piece.

        Raises:
            RpcError: it does not end, or is no text.
        """
        self._received += piece
        if not self._received[-8:].rstrip().endswith(b"}"):
            self._check_size()
            return []
        try:
            text = self._received.decode().lstrip()
        except UnicodeDecodeError as error:
            raise RpcError("the answer is not UTF-8") from error
        found: list[object] = []
        while text:
            try:
                message, end = _DECODER.raw_decode(text)
            except ValueError:  # a brace in the middle: more is to come
                break
            found.append(message)
            text = text[end:].lstrip()
        if found:
            self._received = bytearray(text.encode())
        self._check_size()
        return found

    def _check_size(self) -> None:
        if len(self._received) >= _BIGGEST:
            raise RpcError("the answer does not end")


class RpcClient:
    """A connection. OSError from any method means that the other side is not there or has gone away."""

    def __init__(self, path: str, until: float) -> None:
        """Connect to the socket at ``path``; everything must be done by ``until`` (time.monotonic())."""
        self._until = until
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
        self._next_id = 0
        try:
            self._arm()
            self._socket.connect(path)
        except BaseException as error:
            self._socket.close()
            if isinstance(error, TimeoutError | BlockingIOError):  # a full backlog: nobody accepts
                raise DeadlineError(f"{path} does not accept connections") from error
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def peer_pid(self) -> int:
        """The process that listens, as this process's PID namespace numbers it (0 if it is outside)."""
        size = struct.calcsize("3i")
        credentials = self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size)
        pid: int = struct.unpack("3i", credentials)[0]
        return pid

    def ask(self, method: str, *params: object) -> object:
        """The result of one request.

        Raises:
            DeadlineError: no answer in time.
            RpcError: the answer is an error or can't be understood.
        """
        self._next_id += 1
        request = {"id": self._next_id, "method": method, "params": list(params)}
        try:
            self._arm()
            self._socket.sendall(json.dumps(request).encode())
            reply = self._receive()
        except TimeoutError as error:
            raise DeadlineError(f"no answer to {method}") from error
        if not isinstance(reply, dict) or reply.get("id") != self._next_id:
            raise RpcError(f"{method}: not a reply to the question")
        if reply.get("error") is not None:
            raise RpcError(f"{method}: {_words(reply['error'])}")
        return reply.get("result")

    def _receive(self) -> object:
        frames = Frames()
        while True:
            self._arm()
            piece = self._socket.recv(1 << 18)
            if not piece:
                raise ConnectionResetError("connection closed before the answer")
            if messages := frames.feed(piece):
                return messages[0]

    def _arm(self) -> None:
        left = self._until - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._socket.settimeout(left)


def _words(error: object) -> str:
    return " ".join(str(error).split())[:200]
