"""One writer: the lock that CLI and agent act under, and the file that halts all acting."""

from __future__ import annotations

import contextlib
import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from hostagent.act.lock_file import LockFile
from hostagent.errors import RefusedError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hostagent.config import Settings


@contextlib.contextmanager
def held(settings: Settings, *, who: str, wait_seconds: float) -> Iterator[None]:
    """Hold act.lock. The kernel drops it with the process, however that ends.

    Raises:
        RefusedError: somebody else holds it for longer than ``wait_seconds``, or the stop file exists.
    """
    refuse_if_stopped(settings)
    lock = LockFile(settings.paths.run_dir, "act.lock", needs="repairs need root")
    if not lock.take(wait_seconds):
        raise RefusedError(f"{_holder(lock)} is repairing this host now ({lock.path})")
    try:
        since = datetime.now(UTC).isoformat(timespec="seconds")
        lock.write(json.dumps({"pid": os.getpid(), "who": who, "since": since}))
        refuse_if_stopped(settings)
        yield
        lock.write("")
    finally:
        lock.drop()


def refuse_if_stopped(settings: Settings) -> None:
    """Raise RefusedError while the stop file exists; whether it exists must be known."""
    stop = Path(settings.paths.stop_file)
    try:
        stop.lstat()
    except FileNotFoundError:
        return
    except OSError as error:
        raise RefusedError(f"can't tell whether {stop} exists: {error.strerror}") from error
    raise RefusedError(f"{stop} exists and halts all repairs: remove it to go on")


def _holder(lock: LockFile) -> str:
    try:
        raw = json.loads(lock.read())
        return f"{raw['who']} (pid {raw['pid']}, since {raw['since']})"
    except (OSError, ValueError, KeyError, TypeError):
        return "another process"
