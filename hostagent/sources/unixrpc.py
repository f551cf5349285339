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

_BIGGEST = 256 << 20  # bytes; a flow dump of a million rules is about half of it


class RpcError(Exception):
    """The other side answered with an error, or with what is no answer."""


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
        received = bytearray()
        while len(received) < _BIGGEST:
            self._arm()
            piece = self._socket.recv(1 << 18)
            if not piece:
                raise ConnectionResetError("connection closed before the answer")
            received += piece
            if not received[-8:].rstrip().endswith(b"}"):
                continue
            try:
                return json.loads(received)
            except ValueError:  # a brace in the middle: more is to come
                continue
        raise RpcError("the answer does not end")

    def _arm(self) -> None:
        left = self._until - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._socket.settimeout(left)


def _words(error: object) -> str:
    return " ".join(str(error).split())[:200]
