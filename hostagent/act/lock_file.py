"""A lock between processes of a host: a file of run_dir that the kernel unlocks with its process."""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path

from hostagent.errors import RefusedError

_AGAIN_SECONDS = 0.05


class LockFile:
    """A file of ``run_dir`` that one process has; ``needs`` says in the error who may have it."""

    def __init__(self, run_dir: str, name: str, *, needs: str) -> None:
        self.path = Path(run_dir, name)
        self._needs = needs
        self._number: int | None = None

    def take(self, wait_seconds: float = 0.0) -> bool:
        """Whether this process has it now; waits so long for another one to drop it.

        Raises:
            RefusedError: the file can't be opened.
        """
        if self._number is not None:
            return True
        number, ends = self._open(), time.monotonic() + wait_seconds
        try:
            while not _locked(number):
                if time.monotonic() >= ends:
                    os.close(number)
                    return False
                time.sleep(_AGAIN_SECONDS)
        except BaseException:
            os.close(number)
            raise
        self._number = number
        return True

    def drop(self) -> None:
        """Let another process have it."""
        if self._number is not None:
            os.close(self._number)
            self._number = None

    def write(self, text: str) -> None:
        """Leave word for those who wait, if this process has it."""
        if self._number is not None:
            os.ftruncate(self._number, 0)
            os.pwrite(self._number, text.encode(), 0)

    def read(self) -> str:
        """What the one who has it left, at most 4 KiB.

        Raises:
            OSError: the file can't be read.
        """
        with self.path.open("rb") as file:
            return file.read(4096).decode(errors="replace")

    def _open(self) -> int:
        try:
            self.path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
            return os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o644)
        except OSError as error:
            reason = f"can't open {self.path}: {error.strerror} ({self._needs})"
            raise RefusedError(reason) from error


def _locked(number: int) -> bool:
    try:
        fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
