"""Runs inside a node: stands between a repair and ovsdb-server, and lets things happen at exact messages.

As a program, ``python3 proxy.py LISTEN KIND before|after kill|ARGV…`` strikes once, at the first
message of that kind: it kills the client, or runs ARGV, before the server has the message or once it
has answered.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SERVER = "/run/openvswitch/db.sock"


class Fate(StrEnum):
    """What becomes of a message."""

    PASS = "pass"
    LOSE = "lose"  # the connection breaks before the server has it
    LOSE_REPLY = "lose reply"  # the server has carried it out, the client gets no answer
    KILL = "kill"  # the client dies before the server has it
    KILL_AFTER = "kill after"  # the client dies once the server has carried it out
    EVENT_AFTER = "event after"  # the proxy's event happens once the server has carried it out
    LATE = "late"  # the server gets it while nobody waits for the answer


def kind_of(message: dict[str, Any]) -> str:
    """first, barrier, second, or another method or operation's name."""
    if message.get("method") != "transact":
        return str(message.get("method", "reply"))
    operations = {each["op"] for each in message["params"][1:]}
    if "commit" in operations:
        return "second"
    if {"assert", "wait"} <= operations:
        return "first"
    return "barrier" if operations == {"wait"} else "-".join(sorted(operations))


class Proxy:
    """``decide`` is asked about every message from a client, by number and kind."""

    def __init__(self, path: str) -> None:
        Path(path).unlink(missing_ok=True)
        self.decide: Callable[[int, str], Fate] = lambda _number, _kind: Fate.PASS
        self.event: Callable[[], object] = lambda: None
        self.seen: list[str] = []
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.bind(path)
        self._socket.listen(8)
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            client, _ = self._socket.accept()
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        server = socket.socket(socket.AF_UNIX)
        fates: dict[Any, Fate] = {}
        rest = {client: "", server: ""}
        with client, server, contextlib.suppress(OSError):
            server.connect(SERVER)
            while True:
                ready, _, _ = select.select([client, server], [], [])
                for each in ready:
                    if not (piece := each.recv(1 << 18)):
                        return
                    rest[each] += piece.decode(errors="surrogateescape")
                    for message, raw in self._whole(each, rest):
                        if each is server:
                            on = self._backward(message, raw, client, fates)
                        else:
                            on = self._forward(message, raw, client, server, fates)
                        if not on:
                            return

    @staticmethod
    def _whole(each: socket.socket, rest: dict[socket.socket, str]) -> Iterator[tuple[dict[str, Any], bytes]]:
        """The JSON texts that have arrived, each with its bytes."""
        while (text := rest[each].lstrip()).rstrip().endswith("}"):
            try:
                message, end = json.JSONDecoder().raw_decode(text)
            except ValueError:
                return
            rest[each] = text[end:]
            yield message, text[:end].encode(errors="surrogateescape")

    def _forward(
        self,
        message: dict[str, Any],
        raw: bytes,
        client: socket.socket,
        server: socket.socket,
        fates: dict[Any, Fate],
    ) -> bool:
        """Whether the connection goes on."""
        kind = kind_of(message)
        self.seen.append(kind)
        fate = self.decide(len(self.seen), kind)
        if fate is Fate.KILL:
            _kill(client)
        if fate is Fate.LATE:
            threading.Timer(1.5, _deliver, (os.dup(server.fileno()), raw)).start()
            time.sleep(4)
        if fate in {Fate.LOSE, Fate.KILL, Fate.LATE}:
            return False
        if fate is not Fate.PASS:
            fates[message["id"]] = fate
        server.sendall(raw)
        return True

    def _backward(
        self, message: dict[str, Any], raw: bytes, client: socket.socket, fates: dict[Any, Fate]
    ) -> bool:
        """Whether the connection goes on."""
        fate = fates.pop(message.get("id"), Fate.PASS)
        if fate is Fate.KILL_AFTER:
            _kill(client)
        if fate is Fate.EVENT_AFTER:
            self.event()
        if fate in {Fate.KILL_AFTER, Fate.LOSE_REPLY}:
            return False
        client.sendall(raw)
        return True


def _kill(client: socket.socket) -> None:
    """SIGKILL to the process that connected."""
    credentials = client.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    os.kill(struct.unpack("3i", credentials)[0], signal.SIGKILL)


def _deliver(number: int, raw: bytes) -> None:
    os.write(number, raw)
    time.sleep(1)
    os.close(number)


def main() -> None:
    listen, kind, when, *strike = sys.argv[1:]
    pending = [kind]
    proxy = Proxy(listen)
    proxy.event = lambda: subprocess.run(strike, check=False)

    def decide(_number: int, seen: str) -> Fate:
        if seen not in pending:
            return Fate.PASS
        pending.remove(seen)
        if strike == ["kill"]:
            return Fate.KILL if when == "before" else Fate.KILL_AFTER
        if when == "after":
            return Fate.EVENT_AFTER
        proxy.event()
        return Fate.PASS

    proxy.decide = decide
    print("ready", flush=True)
    threading.Event().wait()


if __name__ == "__main__":
    main()
