"""An exporter as a process of its own on loopback."""

from __future__ import annotations

import contextlib
import http.client
import random
import signal
import socket
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.lab import soon

if TYPE_CHECKING:
    import subprocess

MAIN = [sys.executable, "-c", "from hostagent.export.exporter import main; raise SystemExit(main())"]


def free_port() -> int:
    """A port below those that the kernel gives to clients (ip_local_port_range), who might take it."""
    while True:
        port = random.randrange(10_000, 30_000)
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port


@dataclass(slots=True)
class Running:
    process: subprocess.Popen[str]
    folder: Path
    port: int
    log: Path

    def settle(self, port: int | None = None, **export: str) -> None:
        """Write the settings."""
        self.port = port or self.port
        lines = [f'{key} = "{value}"' for key, value in export.items()]
        (self.folder / "hostagent.toml").write_text(
            "\n".join([f'[paths]\nrun_dir = "{self.folder}"\n[export]\nport = {self.port}', *lines, ""])
        )

    def reload(self, expected: str) -> None:
        before = self.log.read_text().count(expected)
        self.process.send_signal(signal.SIGHUP)
        assert soon(30, lambda: self.log.read_text().count(expected) > before), self.log.read_text()

    def ask(self, path: str, method: str = "GET") -> tuple[int, str]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        with contextlib.closing(connection):
            connection.request(method, path)
            response = connection.getresponse()
            return response.status, response.read().decode()

    def raw(self, sent: bytes) -> bytes:
        with socket.create_connection(("127.0.0.1", self.port), timeout=30) as client:
            client.sendall(sent)
            return b"".join(iter(lambda: client.recv(65536), b""))

    def threads(self) -> int:
        return len(list(Path(f"/proc/{self.process.pid}/task").iterdir()))
