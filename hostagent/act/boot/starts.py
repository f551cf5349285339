"""run_dir/autostarted.json: which adopted guests this boot of the node has still to start.

It lasts as long as the boot does. Who starts a guest, or sees that it runs, drops it: one that a person
shuts off afterwards stays off.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from hostagent.act import places
from hostagent.errors import JournalError
from hostagent.model.plain import plain, record

FILE = "autostarted.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Starts:
    """``waiting`` are the UUIDs of guests to start, next one first, as of the boot ``boot_id``."""

    boot_id: str
    waiting: tuple[str, ...] = ()


class StartList:
    """For whoever holds the BootsLock."""

    def __init__(self, run_dir: str, boot_id: str) -> None:
        self._path = Path(run_dir, FILE)
        self._boot_id = boot_id

    def waiting(self) -> tuple[str, ...] | None:
        """Who waits; None when nobody has looked in this boot yet, or the file can't be read."""
        try:
            starts = record(Starts, json.loads(self._path.read_bytes()))
        except (OSError, ValueError, OverflowError, RecursionError):
            return None
        return starts.waiting if starts.boot_id == self._boot_id else None

    def put(self, waiting: tuple[str, ...]) -> None:
        """Write who waits.

        Raises:
            JournalError: it can't be written.
        """
        text = json.dumps(plain(Starts(boot_id=self._boot_id, waiting=waiting)))
        try:
            self._path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
            places.replace(self._path, text, mode=0o644, durable=False)
        except OSError as error:
            raise JournalError(f"{self._path} can't be written: {error.strerror or error}") from error

    def drop(self, *uuids: str) -> None:
        """Nobody starts these any more.

        Raises:
            JournalError: it can't be written.
        """
        if waiting := self.waiting():
            left = tuple(each for each in waiting if each not in uuids)
            if left != waiting:
                self.put(left)
