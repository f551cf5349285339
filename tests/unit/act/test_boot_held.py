"""The held list on disk: all or nothing, and what can't be read is kept and said, never a traceback."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from hostagent.act.boot.held import FILE, SCHEMA, HeldList
from hostagent.act.boot.lock import BootsLock
from hostagent.errors import JournalError, RefusedError
from hostagent.model.boot_held import SLOWED, Held

if TYPE_CHECKING:
    from pathlib import Path

ONE = Held(uuid="u1", name="web", id=3, boot_id="b", since=5.0, reason="3 boots running, limit 3")
TWO = replace(ONE, uuid="u2", name="db\n<b>", requests=7, vcpu_seconds=1.5)
SLOW = replace(ONE, uuid="u3", kind=SLOWED, disks=("vda",), iops=100, boot_id="before")
PLAIN: dict[str, Any] = {"uuid": "u1", "name": "w", "id": 3, "boot_id": "b", "since": 5, "reason": "r"}


def test_what_is_put_is_there_for_the_next(tmp_path: Path) -> None:
    held = HeldList(str(tmp_path / "made"))
    held.put(ONE, TWO)
    held.put(SLOW, replace(ONE, requests=9))
    assert HeldList(str(tmp_path / "made")).entries == (replace(ONE, requests=9), TWO, SLOW) == held.entries
    assert held.of("u3") == SLOW
    held.drop("u1", "u3", "nobody")
    assert HeldList(str(tmp_path / "made")).entries == (TWO,)
    assert held.of("u1") is None
    assert [path.name for path in (tmp_path / "made").iterdir()] == [FILE]
    assert (tmp_path / "made" / FILE).stat().st_mode & 0o777 == 0o600


def test_each_change_is_synced_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file and its folder: two calls, however many guests."""
    synced: list[int] = []
    monkeypatch.setattr(os, "fsync", synced.append)
    held = HeldList(str(tmp_path))
    held.put(*(replace(ONE, uuid=f"u{number}") for number in range(50)))
    assert len(synced) == 2
    held.put()
    held.drop("nobody")
    assert len(synced) == 2, "nothing to change, nothing to write"


def test_a_disk_that_takes_nothing_is_an_error_and_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = HeldList(str(tmp_path))
    held.put(ONE)

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(JournalError, match="No space left on device; no guest is held without it"):
        held.put(TWO)
    with pytest.raises(JournalError):
        held.drop("u1")
    assert held.entries == (ONE,) == HeldList(str(tmp_path)).entries


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b"[1, 2]",
        b'{"schema": "hostagent.held/v2", "guests": []}',
        b'{"schema": "hostagent.held/v1", "guests": {"u1": 1}}',
        b"[" * 100_000,
        b'{"schema": 1' + b"0" * 10_000 + b"}",
    ],
)
def test_what_is_no_list_is_kept_aside_and_said(
    tmp_path: Path, text: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / FILE).write_bytes(text)
    held = HeldList(str(tmp_path))
    assert held.entries == ()
    assert "guests that it named may stay paused" in held.fault
    (kept,) = tmp_path.glob(f"{FILE}.unreadable-*")
    assert kept.read_bytes() == text
    held.recall()
    assert len(caplog.records) == 1, "said once"
    held.put(ONE)
    assert HeldList(str(tmp_path)).entries == (ONE,)
    assert kept.read_bytes() == text


@pytest.mark.parametrize(
    "wrong",
    [
        {"id": "3"},
        {"id": True},
        {"id": None},
        {"kind": "frozen"},
        {"since": "now"},
        {"since": 10**400},
        {"disks": "vda"},
        {"disks": [1]},
        {"name": None},
        {"vcpu_seconds": []},
        {"requests": 1.5},
    ],
)
def test_one_entry_that_is_not_understood_costs_no_other(tmp_path: Path, wrong: dict[str, Any]) -> None:
    raw = {"schema": SCHEMA, "guests": [PLAIN | {"uuid": "bad"} | wrong, 7, None, PLAIN]}
    (tmp_path / FILE).write_text(json.dumps(raw))
    held = HeldList(str(tmp_path))
    assert [each.uuid for each in held.entries] == ["u1"]
    assert held.fault
    assert list(tmp_path.glob(f"{FILE}.unreadable-*"))


def test_a_missing_file_and_unknown_keys_are_nothing_special(tmp_path: Path) -> None:
    assert (HeldList(str(tmp_path)).entries, HeldList(str(tmp_path)).fault) == ((), "")
    raw = {"schema": SCHEMA, "later": 1, "guests": [PLAIN | {"later": [1]}, PLAIN]}
    (tmp_path / FILE).write_text(json.dumps(raw))
    held = HeldList(str(tmp_path))
    assert (len(held.entries), held.fault) == (1, ""), "the same guest twice is one"


def test_only_one_paces(tmp_path: Path) -> None:
    first, second = BootsLock(str(tmp_path / "run")), BootsLock(str(tmp_path / "run"))
    assert first.take()
    assert first.take()
    assert not second.take(wait_seconds=0.15)
    first.drop()
    first.drop()
    assert second.take()
    assert not first.take()


def test_a_lock_that_cannot_be_opened_is_said(tmp_path: Path) -> None:
    (tmp_path / "boots.lock").symlink_to("/etc/passwd")
    with pytest.raises(RefusedError, match="pacing needs root"):
        BootsLock(str(tmp_path)).take()
