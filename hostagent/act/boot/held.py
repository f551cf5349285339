"""state_dir/held.json: a guest is on disk before it is suspended, so that whoever comes next resumes it."""

from __future__ import annotations

import json
import logging
import os
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

from hostagent.act import places
from hostagent.errors import JournalError
from hostagent.model.boot_held import KINDS, Held
from hostagent.model.plain import plain, record

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["FILE", "SCHEMA", "Held", "HeldList"]

FILE = "held.json"
SCHEMA = "hostagent.held/v1"
_LOG = logging.getLogger("hostagent")


class HeldList:
    """The entries on disk, those of an earlier boot of the node too. For several threads, one process.

    Who holds the BootsLock may write; ``recall`` after taking it, for the other side may have written since.
    ``fault`` is why something on disk could not be read, or "".
    """

    def __init__(self, state_dir: str) -> None:
        self._path = Path(state_dir, FILE)
        self._lock = threading.Lock()
        self.fault = ""
        self.entries: tuple[Held, ...] = ()
        self.recall()

    def recall(self) -> None:
        """Read the file again. What can't be read is kept beside it and said; the rest counts."""
        with self._lock:
            try:
                text = self._path.read_bytes()
            except FileNotFoundError:
                self.entries = ()
                return
            except OSError as error:
                self.entries = ()
                self._lost(error.strerror or str(error))
                return
            found, faults = _entries(text)
            self.entries = tuple({each.uuid: each for each in found}.values())
            if faults:
                self._lost(faults[0])

    def of(self, uuid: str) -> Held | None:
        """The entry of one guest."""
        return next((each for each in self.entries if each.uuid == uuid), None)

    def put(self, *entries: Held) -> None:
        """Add entries, in place of older ones of the same guests; they are on disk when this returns.

        Raises:
            JournalError: the disk does not take them; nothing may be suspended then.
        """
        with self._lock:
            merged = {each.uuid: each for each in (*self.entries, *entries)}
            if entries:
                self._write(merged)

    def drop(self, *uuids: str) -> None:
        """Forget guests.

        Raises:
            JournalError: the disk does not take it; they are still remembered.
        """
        with self._lock:
            left = {each.uuid: each for each in self.entries if each.uuid not in uuids}
            if len(left) < len(self.entries):
                self._write(left)

    def _write(self, entries: Mapping[str, Held]) -> None:
        kept = tuple(entries.values())
        text = json.dumps({"schema": SCHEMA, "guests": plain(kept)}, indent=1) + "\n"
        try:
            self._path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
            places.replace(self._path, text, mode=0o600)
        except OSError as error:
            words = error.strerror or error
            raise JournalError(
                f"{self._path} can't be written: {words}; no guest is held without it"
            ) from error
        self.entries = kept

    def _lost(self, fault: str) -> None:
        if self.fault.startswith(said := f"{self._path} can't be read as a whole ({fault})"):
            return  # kept and said already
        kept = self._path.with_name(f"{FILE}.unreadable-{int(time.time())}")
        words = f"{said}: guests that it named may stay paused"
        try:
            # A link: until a new file has replaced it, the next start must find the old one.
            os.link(self._path, kept)
            words += f"; it is kept as {kept}"
        except OSError:
            pass  # kept within this second already, or the disk is read-only
        self.fault = f"{words} (virsh list --state-paused; virsh resume NAME)"
        _LOG.error("%s", self.fault)


def _entries(text: bytes) -> tuple[list[Held], list[str]]:
    """The entries that can be understood, and what is wrong with the others."""
    try:
        raw = json.loads(text)
        if (
            not isinstance(raw, dict)
            or raw.get("schema") != SCHEMA
            or not isinstance(raw.get("guests"), list)
        ):
            return [], [f"it is not {SCHEMA}"]
    except (ValueError, RecursionError) as error:
        return [], [_short(error)]
    return _understood(raw["guests"])


def _understood(guests: Iterable[object]) -> tuple[list[Held], list[str]]:
    found: list[Held] = []
    faults: list[str] = []
    for each in guests:
        try:
            entry = record(Held, each)
        except (ValueError, OverflowError) as error:
            faults.append(_short(error))
            continue
        if entry.kind in KINDS:
            found.append(entry)
        else:
            faults.append(f"Held.kind: {entry.kind!r:.60} is no {' or '.join(sorted(KINDS))}")
    return found, faults


def _short(error: Exception) -> str:
    return " ".join(str(error).split())[:200]
