"""The client against a socket that answers in pieces, out of turn, wrongly or not at all."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest

from hostagent.act.ovsdb import LostError, Ovsdb, OwnerError
from hostagent.errors import ActError, ChangedError, DeadlineError, SourceError
from tests.unit.sources.fake_server import FakeServer

if TYPE_CHECKING:
    from pathlib import Path

WAIT = {"op": "wait", "table": "Port", "where": [["_uuid", "==", ["uuid", "u-1"]]]}


def reply(request: dict[str, Any], result: Any) -> bytes:
    return json.dumps({"id": request["id"], "result": result, "error": None}).encode()


def ask(tmp_path: Path, result: Any, *operations: dict[str, Any]) -> list[dict[str, Any]]:
    with (
        FakeServer(tmp_path / "sock", lambda request: [reply(request, result)]),
        Ovsdb(str(tmp_path / "sock"), timeout_seconds=30) as db,
    ):
        return db.transact(operations)


def test_an_answer_in_pieces_after_a_notice(tmp_path: Path) -> None:
    notice = b'{"id":null,"method":"stolen","params":["x"]}'

    def answer(request: dict[str, Any]) -> list[bytes]:
        whole = notice + reply(request, [{"rows": [{"name": "ü}"}]}])
        return [whole[:50], whole[50:-9], whole[-9:]]

    with FakeServer(tmp_path / "sock", answer), Ovsdb(str(tmp_path / "sock"), timeout_seconds=30) as db:
        assert db.transact([]) == [{"rows": [{"name": "ü}"}]}]


@pytest.mark.parametrize(
    ("result", "kind", "words"),
    [
        ([{"error": "timed out", "details": "d"}], ChangedError, "Port row u-1 is no longer what was read"),
        ([{}, {"error": "constraint violation", "details": "(vnet1)"}], ChangedError, r"\(vnet1\)"),
        ([{}, {"error": "referential integrity violation", "details": "d"}], ChangedError, "while"),
        ([{}, {"error": "not owner", "details": "d"}], OwnerError, "took over"),
        ([{}, {"error": "I/O error", "details": "disk"}], ActError, "disk"),
    ],
)
def test_what_the_server_refuses(tmp_path: Path, result: Any, kind: type[ActError], words: str) -> None:
    with pytest.raises(kind, match=words):
        ask(tmp_path, result, WAIT)


def test_no_answer_in_time(tmp_path: Path) -> None:
    with (
        FakeServer(tmp_path / "sock", lambda _: None),
        Ovsdb(str(tmp_path / "sock"), timeout_seconds=0.2) as db,
    ):
        began = time.monotonic()
        with pytest.raises(DeadlineError):
            db.transact([])
        assert time.monotonic() - began < 5


def test_a_broken_connection_is_not_a_refusal(tmp_path: Path) -> None:
    with FakeServer(tmp_path / "sock", lambda request: [reply(request, [])]):
        db = Ovsdb(str(tmp_path / "sock"), timeout_seconds=30)
        db.transact([])
    with db, pytest.raises(LostError):
        db.transact([])


def test_nobody_there(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="is ovsdb-server running"):
        Ovsdb(str(tmp_path / "none"), timeout_seconds=1)
