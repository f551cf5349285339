"""The agent's unix socket: a line of JSON asks, a line of JSON answers.

Each connection has a thread of its own, and there are never more than a few. A client that is slow, silent or
hostile loses its connection; the loop of the agent never waits for any of them. Who may connect is decided by
the socket's mode (root and one group), who may change something by the peer's credentials (unix(7)).
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import socket
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hostagent.daemon.listening import Peer, listen, lock, peer_of
from hostagent.errors import HostagentError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["Peer", "Server"]

_LOG = logging.getLogger(__name__)

MOST_BYTES = 512 << 10  # of a request; a domain's XML in base64 is the largest
MOST_CLIENTS = 64  # libvirtd runs at most 20 hooks at once (max_workers)
REQUEST_SECONDS = 5.0  # to send a whole request, and to take the answer
_NO_REQUEST = {"error": "a request is a JSON object on one line"}
_DRAIN_BYTES = 1 << 20
_AGAIN_SECONDS = 0.1  # after accept failed: out of descriptors, most likely


@dataclass(slots=True, kw_only=True, eq=False)
class _Client:
    socket: socket.socket
    peer: Peer
    since: float  # monotonic: when it connected or was answered last
    answering: bool = False
    dropped: bool = False
    received: bytearray = field(default_factory=bytearray)
    thread: threading.Thread | None = None


class Server:
    """Serves ``path`` from ``start`` to ``close``.

    ``answer`` is called in the client's thread; a HostagentError of it becomes {"error": its words}.
    """

    def __init__(
        self,
        path: str,
        *,
        answer: Callable[[Mapping[str, Any], Peer], Mapping[str, Any]],
        group: str = "hostagent",
    ) -> None:
        self._path = Path(path)
        self._answer = answer
        self._group = group
        self._listener: socket.socket | None = None
        self._lock_number = -1
        self._guard = threading.Lock()
        self._clients: set[_Client] = set()
        self._closing = threading.Event()
        self._accepting: threading.Thread | None = None

    def start(self) -> None:
        """Listen, in the place of an agent that has died.

        Raises:
            RefusedError: another agent is alive.
            HostagentError: nobody can listen there.
        """
        try:
            self._path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
            self._lock_number = lock(self._path)
            self._listener = listen(self._path, self._group)
        except OSError as error:
            self.close()
            raise HostagentError(f"{self._path}: can't listen there: {error.strerror or error}") from error
        self._accepting = threading.Thread(
            target=self._accept, args=(self._listener,), name="accept", daemon=True
        )
        self._accepting.start()

    def close(self) -> None:
        """Hang up on everybody and remove the socket. A thread that is still answering ends after that."""
        self._closing.set()
        if self._listener is not None:
            self._path.unlink(missing_ok=True)
            with contextlib.suppress(OSError):
                self._listener.shutdown(socket.SHUT_RDWR)  # wakes accept
            self._listener.close()
            self._listener = None
        if self._accepting is not None:
            self._accepting.join(1)
        with self._guard:
            clients = tuple(self._clients)
            for client in clients:
                _drop(client)
        for client in clients:
            if client.thread is not None and not client.answering:
                client.thread.join(1)
        if self._lock_number >= 0:
            os.close(self._lock_number)
            self._lock_number = -1

    def _accept(self, listener: socket.socket) -> None:
        while not self._closing.is_set():
            try:
                accepted, _ = listener.accept()
            except OSError as error:
                if not self._closing.wait(_AGAIN_SECONDS):
                    _LOG.warning("%s: accepts nobody: %s", self._path, error)
                continue
            try:
                self._take(accepted)
            except (OSError, RuntimeError) as error:  # it has gone already; no thread can be started
                _LOG.warning("%s: lost a client: %s", self._path, error)
                accepted.close()

    def _take(self, accepted: socket.socket) -> None:
        """Give the connection a thread, which may cost the client that was silent for longest its own."""
        client = _Client(socket=accepted, peer=peer_of(accepted), since=time.monotonic())
        victim = None
        with self._guard:
            idle = [each for each in self._clients if not each.answering]
            full = len(self._clients) >= MOST_CLIENTS
            if full and idle:
                victim = min(idle, key=lambda each: (each.peer.uid == 0, each.since))
                _drop(victim)
        if full and victim is None:
            accepted.settimeout(0)
            _send(client, {"error": "the agent is answering too many at once: try again in a moment"})
            accepted.close()
            return
        if victim is not None and victim.thread is not None:
            victim.thread.join(1)
        client.thread = threading.Thread(target=self._serve, args=(client,), name="answer", daemon=True)
        with self._guard:
            self._clients.add(client)
        try:
            client.thread.start()
        except RuntimeError:
            self._forget(client)
            raise

    def _serve(self, client: _Client) -> None:
        try:
            with client.socket, contextlib.suppress(OSError):  # it has hung up, or was dropped
                while (line := _receive(client)) is not None:
                    client.socket.settimeout(REQUEST_SECONDS)
                    _send(client, self._reply(line, client))
        finally:
            self._forget(client)

    def _reply(self, line: bytes, client: _Client) -> Mapping[str, Any]:
        with self._guard:
            if client.dropped:
                raise OSError
            client.answering = True
        try:
            request = _request(line)
            return _NO_REQUEST if request is None else self._answer(request, client.peer)
        except HostagentError as error:
            return {"error": " ".join(str(error).split())}
        except Exception as error:  # noqa: BLE001  one request must not end the agent; the journal has it
            _LOG.exception("the agent could not answer")
            return {"error": f"internal error of the agent: {type(error).__name__} (journalctl -u hostagent)"}
        finally:
            with self._guard:
                client.answering = False
                client.since = time.monotonic()

    def _forget(self, client: _Client) -> None:
        with self._guard:
            self._clients.discard(client)


def _drop(client: _Client) -> None:
    client.dropped = True
    with contextlib.suppress(OSError):
        client.socket.shutdown(socket.SHUT_RDWR)  # wakes its thread; closing would not


def _request(line: bytes) -> dict[str, Any] | None:
    try:
        request = json.loads(line.decode())
    except (ValueError, RecursionError):
        return None
    return request if isinstance(request, dict) else None


def _receive(client: _Client) -> bytes | None:
    """The next request without its newline; None at the end. Raises OSError when it takes too long."""
    until = time.monotonic() + REQUEST_SECONDS
    while not 0 <= (end := client.received.find(b"\n")) <= MOST_BYTES:
        if len(client.received) > MOST_BYTES:
            _send(client, {"error": f"a request has at most {MOST_BYTES} bytes"})
            _drain(client.socket, until)
            return None
        client.socket.settimeout(max(0.001, until - time.monotonic()))
        piece = client.socket.recv(1 << 16)
        if not piece:
            return None
        client.received += piece
    line = bytes(client.received[:end])
    del client.received[: end + 1]
    return line


def _drain(connection: socket.socket, until: float) -> None:
    """Read on for a while: to close with something unread would take the answer from the client."""
    connection.shutdown(socket.SHUT_WR)
    taken = 0
    while taken < _DRAIN_BYTES and time.monotonic() < until and (piece := connection.recv(1 << 16)):
        taken += len(piece)


def _send(client: _Client, answer: Mapping[str, Any]) -> None:
    with contextlib.suppress(BlockingIOError):  # only where no time is given: the client is not waited for
        client.socket.sendall(json.dumps(answer).encode() + b"\n")
