"""Connections: a bounded number of threads, a total time for each request, and no client that delays another.

The accepting loop alone enforces both: it shuts a socket down from outside, and whatever its thread waits for
(a handshake, a header's next byte, a client that does not read) ends at once.
"""

from __future__ import annotations

import contextlib
import logging
import socket
import ssl
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING

from hostagent.export.wire import RequestError, Response, encoded, read_request

if TYPE_CHECKING:
    from collections.abc import Callable

    from hostagent.export.wire import Request

_log = logging.getLogger(__name__)

MOST_CONNECTIONS = 64
REQUEST_SECONDS = 5.0

# How long a dropped connection's thread may take to end before the newcomer is sent away instead.
_HANDOVER_SECONDS = 0.5
_LINGER_SECONDS = 1.0


@dataclass(slots=True, eq=False)
class _Connection:
    """``since`` is monotonic; ``answering`` once its request was read."""

    stream: socket.socket
    peer: str
    since: float = field(default_factory=time.monotonic)
    answering: bool = False


class Connections:
    """All that are open. ``answer`` and ``context`` are called in the connection's own thread."""

    def __init__(
        self, answer: Callable[[Request], Response], context: Callable[[], ssl.SSLContext | None]
    ) -> None:
        self._answer = answer
        self._context = context
        self._open: set[_Connection] = set()
        self._lock = threading.Lock()
        self._slots = threading.Semaphore(MOST_CONNECTIONS)
        self.dropped: Counter[str] = Counter(full=0, slow=0)

    def take(self, stream: socket.socket, peer: str) -> None:
        """Serve a new connection; where there is no room, the oldest idle one of the busiest peer goes."""
        if not self._slots.acquire(blocking=False):
            self._make_room()
            if not self._slots.acquire(timeout=_HANDOVER_SECONDS):
                stream.close()
                return
        stream.settimeout(REQUEST_SECONDS)
        connection = _Connection(stream=stream, peer=peer)
        with self._lock:
            self._open.add(connection)
        try:
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()
        except RuntimeError as error:  # the unit's TasksMax or memory is used up
            _log.warning("a connection could not be served: %s", error)
            self._end(connection)

    def expire(self) -> float | None:
        """Drop what is overdue; return in how many seconds the next one will be, None without any."""
        now = time.monotonic()
        with self._lock:
            overdue = [each for each in self._open if now - each.since >= REQUEST_SECONDS]
            for each in overdue:
                self._drop(each, "slow")
            oldest = min((each.since for each in self._open), default=None)
        return None if oldest is None else max(0.0, oldest + REQUEST_SECONDS - now)

    def _make_room(self) -> None:
        with self._lock:
            open_by_peer = Counter(each.peer for each in self._open)
            idle = [each for each in self._open if not each.answering] or list(self._open)
            if idle:
                self._drop(min(idle, key=lambda each: (-open_by_peer[each.peer], each.since)), "full")

    def _drop(self, connection: _Connection, why: str) -> None:
        """Shut it down, under the lock: its thread closes it only after it has left the table."""
        self._open.discard(connection)
        self.dropped[why] += 1
        with contextlib.suppress(OSError):
            # Not SSLSocket's own, which would take the TLS object from under the thread that uses it.
            socket.socket.shutdown(connection.stream, socket.SHUT_RDWR)

    def _serve(self, connection: _Connection) -> None:
        try:
            self._converse(connection)
        except (OSError, ValueError):
            pass  # it broke, was too slow, or spoke no TLS: a client's own business
        finally:
            self._end(connection)

    def _end(self, connection: _Connection) -> None:
        with self._lock:
            self._open.discard(connection)
            connection.stream.close()
        self._slots.release()

    def _converse(self, connection: _Connection) -> None:
        context = self._context()
        if context is not None:
            with self._lock:  # wrapping moves the file descriptor to a new object
                connection.stream = context.wrap_socket(
                    connection.stream, server_side=True, do_handshake_on_connect=False
                )
            connection.stream.do_handshake()
        try:
            request = read_request(connection.stream)
            connection.answering = True
            response, head = self._answer(request), request.method == "HEAD"
        except RequestError as error:
            response, head = _said(error.status), False
        except OSError:
            raise
        except Exception as error:  # noqa: BLE001  one request's edge: the next one is answered all the same
            _log.error("internal error: %s: %s", type(error).__name__, error)
            response, head = _said(HTTPStatus.INTERNAL_SERVER_ERROR), False
        connection.stream.sendall(encoded(response, head=head))
        connection.answering = False
        _linger(connection.stream)


def _said(status: HTTPStatus) -> Response:
    return Response(status=status, body=f"{status.phrase}\n".encode())


def _linger(stream: socket.socket) -> None:
    """Let the client read the response first: closing with unread input resets it (RFC 9112, 9.6)."""
    stream.settimeout(_LINGER_SECONDS)
    if isinstance(stream, ssl.SSLSocket):
        stream.unwrap()
        return
    stream.shutdown(socket.SHUT_WR)
    while stream.recv(65536):
        pass
