"""OVSDB's word that rows changed: a monitor (RFC 7047, 4.1.5) of the columns that decisions rest on.

A connection of its own and not ovs.db.idl's, which is read by whoever looks: no lock between the two. The
rows of an update are not read. Only columns that daemons write all the time are left out, for each wake is a
look; what hostagent itself changes wakes too.
"""

from __future__ import annotations

import json
import logging
import math
import socket
from typing import TYPE_CHECKING

from hostagent.sources.ovsdb_rows import RowsError, columns_of
from hostagent.sources.unixrpc import Frames, RpcError

if TYPE_CHECKING:
    from collections.abc import Callable

_DATABASE = "Open_vSwitch"
_FIRST_SECONDS, _LAST_SECONDS = 0.5, 2.0  # between one connection and the next
# cur_cfg and next_cfg count every ovs-vsctl; status follows the routes of a tunnel's far end.
_LEFT_OUT = {"Open_vSwitch": {"cur_cfg", "next_cfg"}, "Interface": {"status"}}
_SCHEMA, _MONITOR = 1, 2  # the ids of the requests

_LOG = logging.getLogger(__name__)


class OvsdbWatch:
    """Calls ``wake`` when rows changed, or the connection was made or lost. To be run by one thread.

    ``due`` is when run() is wanted although nothing has arrived, in seconds of time.monotonic(). A hung
    server is not noticed here: it answers everything later.
    """

    def __init__(self, path: str, wake: Callable[[], None]) -> None:
        self._path = path
        self._wake = wake
        self._socket: socket.socket | None = None
        self._frames = Frames()
        self._monitoring = False
        self._pause = _FIRST_SECONDS
        self.due = 0.0

    def fileno(self) -> int:
        """What to wait for input on; -1 for nothing."""
        return -1 if self._socket is None else self._socket.fileno()

    def run(self, now: float) -> None:
        """Do what is due, without waiting."""
        try:
            if self._socket is None:
                if now >= self.due:
                    self._connect()
            elif self._receive(self._socket):
                self._wake()
        except (OSError, RpcError, RowsError) as error:
            _LOG.debug("OVSDB at %s can't be watched: %s", self._path, error)
            self._lose(now)

    def close(self) -> None:
        """Drop the connection."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None
        self._monitoring = False

    def _connect(self) -> None:
        kind = socket.SOCK_STREAM | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK
        self._socket = socket.socket(socket.AF_UNIX, kind)
        self._frames = Frames()
        self._socket.connect(self._path)
        self.due = math.inf
        self._send({"id": _SCHEMA, "method": "get_schema", "params": [_DATABASE]})

    def _lose(self, now: float) -> None:
        told = self._monitoring
        self.close()
        self._pause = _FIRST_SECONDS if told else min(self._pause * 2, _LAST_SECONDS)
        self.due = now + self._pause
        if told:
            self._wake()

    def _receive(self, connected: socket.socket) -> bool:
        """Take what is there; whether it is a reason to wake."""
        changed = False
        while True:
            try:
                piece = connected.recv(1 << 16)
            except BlockingIOError:
                return changed
            if not piece:
                raise ConnectionResetError("closed by ovsdb-server")
            for message in self._frames.feed(piece):
                changed |= self._take(message)

    def _take(self, message: object) -> bool:
        if not isinstance(message, dict):
            raise RpcError("not JSON-RPC")
        method, number = message.get("method"), message.get("id")
        if method == "echo":
            self._send({"id": number, "result": message.get("params"), "error": None})
            return False
        if method is not None:
            return bool(method == "update")
        if message.get("error") is not None:
            raise RpcError(f"refused: {message['error']}")
        if number == _SCHEMA:
            self._monitor(message.get("result"))
            return False
        self._monitoring = True  # what changed before nobody told
        return True

    def _monitor(self, schema: object) -> None:
        if not isinstance(schema, dict):
            raise RowsError("its schema can't be understood")
        wanted = {
            table: {
                "columns": [name for name in columns if name not in _LEFT_OUT.get(table, ())],
                "select": {"initial": False},
            }
            for table, columns in columns_of(schema).items()
        }
        self._send({"id": _MONITOR, "method": "monitor", "params": [_DATABASE, None, wanted]})

    def _send(self, message: dict[str, object]) -> None:
        """All of it at once: a socket that has no room for a few kilobytes belongs to nobody alive."""
        data = json.dumps(message).encode()
        if self._socket is None or self._socket.send(data) != len(data):
            raise ConnectionResetError("ovsdb-server does not read")
