"""The kernel's word that links changed: rtnetlink(7)'s group RTMGRP_LINK. What it says is not read."""

from __future__ import annotations

import errno
import logging
import math
import socket
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_RTMGRP_LINK = 1  # linux/rtnetlink.h
_AGAIN_SECONDS = 5.0

_LOG = logging.getLogger(__name__)


class LinksWatch:
    """Calls ``wake`` when links are made, removed or changed. To be run by one thread.

    ``due`` is when run() is wanted although nothing has arrived, in seconds of time.monotonic().
    """

    def __init__(self, wake: Callable[[], None]) -> None:
        self._wake = wake
        self._socket: socket.socket | None = None
        self._broken = False
        self.due = 0.0

    def fileno(self) -> int:
        """What to wait for input on; -1 for nothing."""
        return -1 if self._socket is None else self._socket.fileno()

    def run(self, now: float) -> None:
        """Do what is due, without waiting."""
        try:
            if self._socket is None:
                if now >= self.due:
                    self._open()
            elif self._drain(self._socket):
                self._wake()
        except OSError as error:
            if not self._broken:
                _LOG.warning("links can't be watched: %s (is AF_NETLINK allowed in this unit?)", error)
            self._broken = True
            self.close()
            self.due = now + _AGAIN_SECONDS

    def close(self) -> None:
        """Stop listening."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _open(self) -> None:
        kind = socket.SOCK_RAW | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK
        self._socket = socket.socket(socket.AF_NETLINK, kind, socket.NETLINK_ROUTE)
        self._socket.bind((0, _RTMGRP_LINK))
        self._broken = False
        self.due = math.inf
        self._wake()  # what changed before nobody told

    def _drain(self, listening: socket.socket) -> bool:
        """Throw away what is there; whether there was anything."""
        heard = False
        while True:
            try:
                listening.recv(1)  # the rest of a datagram is dropped with it
            except BlockingIOError:
                return heard
            except OSError as error:
                if error.errno != errno.ENOBUFS:  # some were lost: a change all the same
                    raise
            heard = True
