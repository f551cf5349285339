"""Stands between hostagent and ovsdb-server inside a node and strikes at one chosen transaction.

Run in the node: ``python3 proxy.py LISTEN UPSTREAM NUMBER before|after kill|ARGV…``. Counts the
transactions that change something, over all connections; at the NUMBERth it kills the client, or runs
ARGV, before the request is passed on or before its reply is.
"""

import contextlib
import json
import os
import signal
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

CHANGES = {"insert", "update", "mutate", "delete"}


def messages(stream: socket.socket) -> Iterator[tuple[bytes, Any]]:
    """JSON texts as they come, each with its bytes."""
    decoder, text = json.JSONDecoder(), ""
    while data := stream.recv(1 << 20):
        text += data.decode("utf-8", "surrogateescape")
        while text.strip():
            try:
                value, end = decoder.raw_decode(text.lstrip())
            except ValueError:
                break
            text = text.lstrip()
            yield text[:end].encode("utf-8", "surrogateescape"), value
            text = text[end:]


class Proxy:
    """One strike; every connection shares the count."""

    def __init__(self, upstream: str, number: int, when: str, strike: list[str]) -> None:
        self.upstream, self.number, self.when, self.strike = upstream, number, when, strike
        self.seen = 0
        self.lock = threading.Lock()

    def hit(self, client: socket.socket) -> None:
        if self.strike == ["kill"]:
            size = struct.calcsize("3i")
            credentials = client.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size)
            os.kill(struct.unpack("3i", credentials)[0], signal.SIGKILL)
        else:
            subprocess.run(self.strike, check=False)

    def serve(self, client: socket.socket) -> None:
        server = socket.socket(socket.AF_UNIX)
        try:
            server.connect(self.upstream)
        except OSError:
            client.close()
            return
        awaited: set[Any] = set()

        def requests() -> None:
            for data, value in messages(client):
                if isinstance(value, dict) and value.get("method") == "transact":
                    operations = value["params"][1:]
                    if any(each.get("op") in CHANGES for each in operations if isinstance(each, dict)):
                        with self.lock:
                            self.seen += 1
                            struck = self.seen == self.number
                        if struck and self.when == "before":
                            self.hit(client)
                        elif struck:
                            awaited.add(value["id"])
                server.sendall(data)

        def replies() -> None:
            for data, value in messages(server):
                if awaited and isinstance(value, dict) and value.get("id") in awaited:
                    self.hit(client)
                client.sendall(data)

        for pump in (requests, replies):
            threading.Thread(target=self.end_both, args=(pump, client, server), daemon=True).start()

    @staticmethod
    def end_both(pump: Callable[[], None], client: socket.socket, server: socket.socket) -> None:
        with contextlib.suppress(OSError):
            pump()
        for each in (client, server):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)


def main() -> None:
    listen, upstream, number, when, *strike = sys.argv[1:]
    Path(listen).unlink(missing_ok=True)
    door = socket.socket(socket.AF_UNIX)
    door.bind(listen)
    door.listen()
    print("ready", flush=True)
    proxy = Proxy(upstream, int(number), when, strike)
    while True:
        proxy.serve(door.accept()[0])


if __name__ == "__main__":
    main()
