"""A server that answers as its client asks, and clients of the plainest kind."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hostagent.daemon.serve import Peer, Server
from hostagent.errors import HostagentError

if TYPE_CHECKING:
    from collections.abc import Mapping

NO_GROUP = "no-such-group"
GROUP = "nogroup" if Path("/etc/debian_version").exists() else "nobody"

sleeping: list[Peer] = []
wake = threading.Event()


def echo(request: Mapping[str, Any], peer: Peer) -> Mapping[str, Any]:
    match request.get("ask"):
        case "fail":
            raise HostagentError("two\nlines")
        case "crash":
            raise ZeroDivisionError("secret")
        case "sleep":
            sleeping.append(peer)
            wake.wait(60)
        case "much":
            return {"ok": True, "much": "x" * (8 << 20)}
    return {"ok": True, "request": request, "peer": [peer.pid, peer.uid, peer.gid]}


def started(path: str, group: str = NO_GROUP) -> Server:
    server = Server(path, answer=echo, group=group)
    server.start()
    return server


def connect(path: str) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX)
    try:
        connection.settimeout(60)
        connection.connect(path)
    except OSError:
        connection.close()
        raise
    return connection


def read_line(connection: socket.socket) -> Any:
    with connection.makefile("rb") as file:
        return json.loads(file.readline())


def asked(path: str, line: bytes = b'{"ask": "x"}\n') -> Any:
    with connect(path) as connection:
        connection.sendall(line)
        return read_line(connection)


def new_threads(before: set[threading.Thread]) -> set[threading.Thread]:
    """Those started since ``before``; threads that other tests left end when they will."""
    return set(threading.enumerate()) - before


def open_descriptors() -> set[tuple[str, str]]:
    """Number and target of each: what other tests left is closed when it will."""
    found = set()
    for each in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):  # the one for the directory itself
            found.add((each.name, str(each.readlink())))
    return found


def wait_for(condition: Any) -> None:
    until = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.01)
