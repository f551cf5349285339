"""Two brokers' ports in one network namespace, and programs with connections to them in another."""

from __future__ import annotations

import ctypes
import json
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hostagent.model.connections import AmqpConnections
    from hostagent.sources.tcp import AmqpReader

PEERS = ("10.9.0.2", "fd00:9::2")

BROKER = """
import selectors, socket
chosen = selectors.DefaultSelector()
for port in (5672, 5671):
    listener = socket.create_server(("::", port), family=socket.AF_INET6, dualstack_ipv6=True, backlog=4096)
    chosen.register(listener, selectors.EVENT_READ, True)
print("ready", flush=True)
while True:
    for key, _ in chosen.select():
        if key.data:
            chosen.register(key.fileobj.accept()[0], selectors.EVENT_READ, False)
            continue
        try:
            said = key.fileobj.recv(4096)
            key.fileobj.send(said)
        except OSError:
            said = b""
        if not said:
            chosen.unregister(key.fileobj)
            key.fileobj.close()
"""

CLIENT = """
import json, socket, sys, threading, time
busy, rest = [], []
for each in json.loads(sys.argv[1]):
    for _ in range(each["times"]):
        link = socket.create_connection((each["peer"], each["port"]))
        if each["keepidle"] is not None:
            link.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        if each["keepidle"]:
            link.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, each["keepidle"])
        (busy if each["busy"] else rest).append(link)
        link.send(b"hello")
        link.recv(64)
def pump():
    while True:
        for link in busy:
            link.send(b"x" * 64)
            link.recv(64)
        time.sleep(0.01)
threading.Thread(target=pump, daemon=True).start()
print("ready", flush=True)
sys.stdin.read()
"""


class Wish(NamedTuple):
    """A connection that a program shall open."""

    peer: str
    port: int
    keepidle: int | None
    busy: bool
    times: int = 1


@dataclass
class Net:
    """The namespace of the programs, with the brokers' beside it."""

    name: str
    folder: Path
    inside: ThreadPoolExecutor

    def read(self, reader: AmqpReader) -> AmqpConnections:
        return self.inside.submit(lambda: reader.read(time.monotonic() + 5)).result(10)

    @contextmanager
    def program(self, name: str, wishes: list[Wish]) -> Iterator[int]:
        """Run a program of this name; yields its process id once all connections stand."""
        path = self.folder / name
        path.write_text(f"#!{sys.executable}\n{CLIENT}")
        path.chmod(0o755)
        with started(self.name, str(path), json.dumps([each._asdict() for each in wishes])) as process:
            yield process.pid


@contextmanager
def started(namespace: str, *argv: str) -> Iterator[subprocess.Popen[str]]:
    """A program inside the namespace that has said that it is ready; ended afterwards."""
    command = ("nsenter", f"--net=/run/netns/{namespace}", *argv)
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as process:
        try:
            assert process.stdout
            assert process.stdout.readline() == "ready\n"
            yield process
        finally:
            process.kill()


@contextmanager
def made(folder: Path) -> Iterator[Net]:
    """Both namespaces with the brokers running; `folder` is for the programs."""
    ours, theirs = (f"hostagent-amqp-{os.getpid()}-{each}" for each in "ab")

    def ip(*words: str) -> None:
        subprocess.run(("ip", *words), check=True)

    def enter() -> None:  # this thread only: setns(2)
        with Path(f"/run/netns/{ours}").open("rb") as file:
            assert ctypes.CDLL(None, use_errno=True).setns(file.fileno(), 0) == 0

    with ExitStack() as stack:
        for name in (ours, theirs):
            ip("netns", "add", name)
            stack.callback(ip, "netns", "del", name)
        ip(*f"link add veth0 netns {ours} type veth peer name veth0 netns {theirs}".split())
        for number, name in enumerate((ours, theirs), 1):
            ip(*f"-n {name} addr add 10.9.0.{number}/24 dev veth0".split())
            ip(*f"-n {name} addr add fd00:9::{number}/64 dev veth0 nodad".split())
            ip("-n", name, "link", "set", "lo", "up")
            ip("-n", name, "link", "set", "veth0", "up")
        stack.enter_context(started(theirs, sys.executable, "-c", BROKER))
        inside = stack.enter_context(ThreadPoolExecutor(1, initializer=enter))
        yield Net(ours, folder, inside)
