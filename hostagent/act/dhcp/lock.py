"""One probe at a time on a host: CLI and agent use the same names, and what is left over is nobody's then."""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

from hostagent.errors import RefusedError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hostagent.config import Settings

_WAIT_SECONDS = 3.0
_AGAIN_SECONDS = 0.05


@contextlib.contextmanager
def alone(settings: Settings) -> Iterator[None]:
    """Hold probe.lock; repairs don't wait for it. The kernel drops it with the process.

    Raises:
        RefusedError: somebody else holds it for longer than 3 s, or it can't be opened.
    """
    path = Path(settings.paths.run_dir) / "probe.lock"
    try:
        path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        number = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o644)
    except OSError as error:
        raise RefusedError(f"can't open {path}: {error.strerror} (probes need root)") from error
    ends = time.monotonic() + _WAIT_SECONDS
    try:
        while True:
            try:
                fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() >= ends:
                    raise RefusedError(
                        f"another DHCP probe of this host goes on ({path}): try again in half a minute"
                    ) from None
                time.sleep(_AGAIN_SECONDS)
        yield
    finally:
        os.close(number)
