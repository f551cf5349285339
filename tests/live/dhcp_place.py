"""A network namespace with bridges and real dnsmasq, for tests of what their sockets show."""

from __future__ import annotations

import signal
import subprocess
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from hostagent.sources.dhcp import netns
from hostagent.sources.dhcp.dnsmasq import read_sockets
from hostagent.sources.dhcp.udp_diag import read_udp

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Place:
    """A network namespace with bridges and servers, all of which end with it."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name, self.folder = name, folder
        self.servers: list[subprocess.Popen[bytes]] = []
        run("ip", "netns", "add", name)
        self.ip("link", "set", "lo", "up")

    def ip(self, *words: str) -> None:
        run("ip", "-n", self.name, *words)

    def bridge(self, number: int, name: str = "") -> None:
        name = name or f"br{number}"
        self.ip("link", "add", name, "type", "bridge")
        self.ip("addr", "add", f"10.77.{number}.1/24", "dev", name)
        self.ip("link", "set", name, "up")

    def dnsmasq(self, number: int, *options: str, lease: str = "2m") -> subprocess.Popen[bytes]:
        """Start one for 10.77.NUMBER.0/24, and wait until it listens."""
        span = f"--dhcp-range=10.77.{number}.50,10.77.{number}.99,{lease}"
        return self.start("--conf-file=/dev/null", f"--dhcp-leasefile={self.folder}/{number}", span, *options)

    def start(self, *options: str) -> subprocess.Popen[bytes]:
        words = ("--keep-in-foreground", "--port=0", "--pid-file=", "--user=nobody", "--except-interface=lo")
        command = ("ip", "netns", "exec", self.name, "dnsmasq", *words, *options)
        server = subprocess.Popen(command, stderr=subprocess.PIPE)
        self.servers.append(server)
        ends = time.monotonic() + 10
        while not read_sockets(server.pid) & self.listening():
            assert server.poll() is None, server.stderr and server.stderr.read()
            assert time.monotonic() < ends
            time.sleep(0.005)
        return server

    def listening(self) -> set[int]:
        return {each.inode for each in netns.inside(f"/run/netns/{self.name}", read_udp)}

    def end(self, server: subprocess.Popen[bytes]) -> None:
        self.servers.remove(server)
        server.send_signal(signal.SIGCONT)
        server.kill()
        server.communicate()

    def stop(self) -> None:
        for server in list(self.servers):
            self.end(server)


def run(*words: str) -> None:
    subprocess.run(words, check=True, timeout=30)


@contextmanager
def place(name: str, folder: Path) -> Iterator[Place]:
    made = Place(name, folder)
    try:
        yield made
    finally:
        made.stop()
        run("ip", "netns", "del", name)
