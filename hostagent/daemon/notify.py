"""sd_notify(3): readiness, a status line, and the watchdog, which only the loop feeds."""

from __future__ import annotations

import os
import socket


class Notifier:
    """Speaks to systemd where it listens (NOTIFY_SOCKET), to nobody elsewhere."""

    def __init__(self) -> None:
        self._path = os.environ.pop("NOTIFY_SOCKET", "")
        self._status = ""

    def ready(self) -> None:
        """Tell that the agent works: the first look has been published."""
        self._send("READY=1")

    def alive(self) -> None:
        """Feed the watchdog."""
        self._send("WATCHDOG=1")

    def status(self, words: str) -> None:
        """Show a line in systemctl status; a repetition costs nothing."""
        line = " ".join(words.split())
        if line != self._status:
            self._status = line
            self._send(f"STATUS={line}")

    def reloading(self) -> None:
        """Tell that the configuration is being read again; ``ready`` ends it."""
        self._send("RELOADING=1")

    def stopping(self) -> None:
        """Tell that the end has begun."""
        self._send("STOPPING=1")

    def _send(self, message: str) -> None:
        if not self._path:
            return
        address = "\0" + self._path[1:] if self._path.startswith("@") else self._path
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender:
            sender.settimeout(0)  # a manager that hangs must not hang the loop
            try:
                sender.sendto(message.encode(), address)
            except OSError:
                return
