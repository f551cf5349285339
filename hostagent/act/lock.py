"""One writer: the lock that CLI and agent act under, and the file that halts all acting."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from hostagent.errors import RefusedError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hostagent.config import Settings

_AGAIN_SECONDS = 0.1


@contextlib.contextmanager
def held(settings: Settings, *, who: str, wait_seconds: float) -> Iterator[None]:
    """Hold act.lock. The kernel drops it with the process, however that ends.

    Raises:
        RefusedError: somebody else holds it for longer than ``wait_seconds``, or the stop file exists.
    """
    refuse_if_stopped(settings)
    path = Path(settings.paths.run_dir) / "act.lock"
    try:
        path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        number = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o644)
    except OSError as error:
        raise RefusedError(f"can't open {path}: {error.strerror} (repairs need root)") from error
    try:
        _wait(number, path, time.monotonic() + wait_seconds)
        since = datetime.now(UTC).isoformat(timespec="seconds")
        text = json.dumps({"pid": os.getpid(), "who": who, "since": since})
        os.ftruncate(number, 0)
        os.pwrite(number, text.encode(), 0)
        refuse_if_stopped(settings)
        yield
        os.ftruncate(number, 0)
    finally:
        os.close(number)


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


def _wait(number: int, path: Path, ends: float) -> None:
    while True:
        try:
            fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= ends:
                raise RefusedError(f"{_holder(number)} is repairing this host now ({path})") from None
            time.sleep(_AGAIN_SECONDS)
        else:
            return


def _holder(number: int) -> str:
    try:
        raw = json.loads(os.pread(number, 4096, 0))
        return f"{raw['who']} (pid {raw['pid']}, since {raw['since']})"
    except (ValueError, KeyError, TypeError):
        return "another process"
