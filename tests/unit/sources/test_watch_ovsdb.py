"""OVSDB's monitor over a real unix socket, whose other end the test holds."""

import json
import math
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hostagent.sources.ovsdb_rows import ESSENTIAL, OPTIONAL
from hostagent.sources.watch_ovsdb import OvsdbWatch

SCHEMA = {
    "version": "8.3.1",
    "tables": {
        table: {"columns": [*ESSENTIAL.get(table, ()), *OPTIONAL.get(table, ())]}
        for table in (*ESSENTIAL, *OPTIONAL)
    },
}


class Server:
    """The other end: takes what the watch sent, and answers as told."""

    def __init__(self, path: Path) -> None:
        self._listening = socket.socket(socket.AF_UNIX)
        self._listening.bind(str(path))
        self._listening.listen(4)
        self._listening.settimeout(2)
        self.client: socket.socket | None = None

    def accept(self) -> None:
        self.hang_up()
        self.client, _ = self._listening.accept()
        self.client.settimeout(2)

    def receive(self) -> Any:
        assert self.client
        return json.loads(self.client.recv(1 << 16))

    def send(self, message: dict[str, Any] | bytes) -> None:
        assert self.client
        self.client.sendall(message if isinstance(message, bytes) else json.dumps(message).encode())

    def hang_up(self) -> None:
        if self.client is not None:
            self.client.close()
            self.client = None

    def close(self) -> None:
        self.hang_up()
        self._listening.close()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    made = Server(tmp_path / "db.sock")
    yield made
    made.close()


@pytest.fixture
def wakes() -> list[str]:
    return []


@pytest.fixture
def watch(tmp_path: Path, wakes: list[str]) -> Iterator[OvsdbWatch]:
    made = OvsdbWatch(str(tmp_path / "db.sock"), lambda: wakes.append("ovsdb"))
    yield made
    made.close()


def connected(watch: OvsdbWatch, server: Server, wakes: list[str]) -> Any:
    """The monitor request, granted."""
    watch.run(watch.due)
    server.accept()
    assert server.receive() == {"id": 1, "method": "get_schema", "params": ["Open_vSwitch"]}
    server.send({"id": 1, "result": SCHEMA, "error": None})
    watch.run(0.0)
    request = server.receive()
    assert wakes == []
    server.send({"id": 2, "result": {}, "error": None})
    watch.run(0.0)
    assert wakes == ["ovsdb"], "what changed before nobody told"
    wakes.clear()
    return request


def test_what_is_asked_for(watch: OvsdbWatch, server: Server, wakes: list[str]) -> None:
    request = connected(watch, server, wakes)
    assert request["method"] == "monitor"
    database, _, tables = request["params"]
    assert database == "Open_vSwitch"
    assert {table: set(asked["columns"]) for table, asked in tables.items()} == {
        "Open_vSwitch": {"bridges", "other_config", "ovs_version", "external_ids"},
        "Bridge": set(ESSENTIAL["Bridge"]),
        "Port": {*ESSENTIAL["Port"], "fake_bridge"},
        "Interface": {*ESSENTIAL["Interface"], "error", "ifindex"},
        "QoS": set(OPTIONAL["QoS"]),
        "Queue": set(OPTIONAL["Queue"]),
    }
    assert all(asked["select"] == {"initial": False} for asked in tables.values())


def test_updates_wake_and_echoes_are_answered(watch: OvsdbWatch, server: Server, wakes: list[str]) -> None:
    connected(watch, server, wakes)
    update = json.dumps({"id": None, "method": "update", "params": [None, {"Port": {"ä}": {}}}]}).encode()
    server.send(update[:40])
    watch.run(0.0)
    assert wakes == []
    server.send(update[40:] + update)
    watch.run(0.0)
    assert wakes == ["ovsdb"], "one wake for all that was there"
    server.send({"id": "echo", "method": "echo", "params": ["x"]})
    watch.run(0.0)
    assert server.receive() == {"id": "echo", "result": ["x"], "error": None}
    assert wakes == ["ovsdb"]


def test_lost_and_made_again(watch: OvsdbWatch, server: Server, wakes: list[str]) -> None:
    connected(watch, server, wakes)
    assert watch.due == math.inf
    server.hang_up()
    watch.run(100.0)
    assert wakes == ["ovsdb"], "the loss of it wakes"
    assert (watch.fileno(), watch.due) == (-1, 100.5)
    wakes.clear()
    watch.run(100.4)
    assert watch.fileno() == -1, "not yet"
    connected(watch, server, wakes)


@pytest.mark.parametrize(
    "answer",
    [
        {"id": 1, "result": None, "error": "unknown database"},
        {"id": 1, "result": {"version": "1", "tables": {}}, "error": None},
        {"id": 1, "result": 7, "error": None},
        b'["no", "rpc"]{}',
        b"\xff\xff}",
    ],
)
def test_a_server_that_can_not_be_watched(
    watch: OvsdbWatch, server: Server, wakes: list[str], answer: dict[str, Any] | bytes
) -> None:
    for pause in (1.0, 2.0, 2.0):
        watch.run(watch.due if watch.due < math.inf else 0.0)
        server.accept()
        server.receive()
        server.send(answer)
        watch.run(10.0)
        assert (watch.fileno(), watch.due, wakes) == (-1, 10.0 + pause, [])


def test_nobody_there(tmp_path: Path, wakes: list[str]) -> None:
    watch = OvsdbWatch(str(tmp_path / "none"), lambda: wakes.append("ovsdb"))
    for now, due in ((1.0, 2.0), (2.0, 4.0), (4.0, 6.0)):
        watch.run(now)
        assert (watch.fileno(), watch.due, wakes) == (-1, due, [])


def test_a_server_that_does_not_accept(tmp_path: Path, wakes: list[str]) -> None:
    with socket.socket(socket.AF_UNIX) as full:
        full.bind(str(tmp_path / "full"))
        full.listen(0)
        watches = [OvsdbWatch(str(tmp_path / "full"), lambda: wakes.append("x")) for _ in range(4)]
        for each in watches:
            each.run(0.0)
        assert watches[-1].fileno() == -1
        assert watches[-1].due == 1.0
        for each in watches:
            each.close()
