"""Runs inside a node: stands between a repair and ovsdb-server, and lets things happen at exact messages."""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import threading
import time
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

SERVER = "/run/openvswitch/db.sock"


class Fate(StrEnum):
    """What becomes of a message."""

    PASS = "pass"
    LOSE = "lose"  # the connection breaks before the server has it
    LOSE_REPLY = "lose reply"  # the server has it, the client gets no answer
    KILL = "kill"  # the client dies before the server has it
    KILL_AFTER = "kill after"  # the client dies once the server has it
    LATE = "late"  # the server gets it long after the client has given up


def kind_of(message: dict[str, Any]) -> str:
    """first, barrier, second, or another method or operation's name."""
    if message["method"] != "transact":
        return str(message["method"])
    operations = {each["op"] for each in message["params"][1:]}
    if "commit" in operations:
        return "second"
    if {"assert", "wait"} <= operations:
        return "first"
    return "barrier" if operations == {"wait"} else "-".join(sorted(operations))


class Proxy:
    """``decide`` is asked about every message from the client, by number and kind."""

    def __init__(self, path: str) -> None:
        Path(path).unlink(missing_ok=True)
        self.decide: Callable[[int, str], Fate] = lambda _number, _kind: Fate.PASS
        self.client = 0
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
        server.connect(SERVER)
        buffer = b""
        with client, server:
            while True:
                ready, _, _ = select.select([client, server], [], [])
                if server in ready:
                    try:
                        answer = server.recv(1 << 18)
                        client.sendall(answer)
                    except OSError:
                        return
                    if not answer:
                        return
                if client in ready:
                    if not (piece := client.recv(1 << 18)):
                        return
                    buffer += piece
                    try:
                        message = json.loads(buffer)
                    except ValueError:
                        continue
                    if not self._forward(message, buffer, server):
                        return
                    buffer = b""

    def _forward(self, message: dict[str, Any], raw: bytes, server: socket.socket) -> bool:
        """Whether the connection goes on."""
        kind = kind_of(message)
        self.seen.append(kind)
        fate = self.decide(len(self.seen), kind)
        if fate is Fate.KILL:
            os.kill(self.client, signal.SIGKILL)
        if fate is Fate.LATE:
            threading.Timer(1.5, _deliver, (os.dup(server.fileno()), raw)).start()
            time.sleep(4)
        if fate in {Fate.LOSE, Fate.KILL, Fate.LATE}:
            return False
        server.sendall(raw)
        if fate is Fate.KILL_AFTER:
            os.kill(self.client, signal.SIGKILL)
        if fate in {Fate.KILL_AFTER, Fate.LOSE_REPLY}:
            time.sleep(0.1)
            return False
        return True


def _deliver(number: int, raw: bytes) -> None:
    os.write(number, raw)
    time.sleep(1)
    os.close(number)
