"""Who paces boots now: the agent, or the releaser in its place."""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path

from hostagent.errors import RefusedError

_FILE = "boots.lock"
_AGAIN_SECONDS = 0.1


class BootsLock:
    """run_dir/boots.lock; the kernel drops it with the process, however that ends.

    The agent holds it while its pacer lives. The releaser takes it for one guest at a time, so that an agent
    that comes back has it after at most one call into libvirt: it asks again while it does not get it.
    """

    def __init__(self, run_dir: str) -> None:
        self._path = Path(run_dir, _FILE)
        self._number: int | None = None

    def take(self, wait_seconds: float = 0.0) -> bool:
        """Whether this process has it now; waits so long for another one to drop it.

        Raises:
            RefusedError: the file can't be opened.
        """
        if self._number is not None:
            return True
        try:
            self._path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
            flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
            number = os.open(self._path, flags, 0o644)
        except OSError as error:
            raise RefusedError(f"can't open {self._path}: {error.strerror} (pacing needs root)") from error
        ends = time.monotonic() + wait_seconds
        while True:
            try:
                fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() >= ends:
                    os.close(number)
                    return False
                time.sleep(_AGAIN_SECONDS)
            except BaseException:
                os.close(number)
                raise
            else:
                self._number = number
                return True

    def drop(self) -> None:
        """Let another process have it."""
        if self._number is not None:
            os.close(self._number)
            self._number = None
