"""One probe at a time on a host: CLI and agent use the same names, and what is left over is nobody's then."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from hostagent.act.lock_file import LockFile
from hostagent.errors import RefusedError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hostagent.config import Settings

_WAIT_SECONDS = 3.0


@contextlib.contextmanager
def alone(settings: Settings) -> Iterator[None]:
    """Hold probe.lock; repairs don't wait for it. The kernel drops it with the process.

    Raises:
        RefusedError: somebody else holds it for longer than 3 s, or it can't be opened.
    """
    lock = LockFile(settings.paths.run_dir, "probe.lock", needs="probes need root")
    if not lock.take(_WAIT_SECONDS):
        raise RefusedError(
            f"another DHCP probe of this host goes on ({lock.path}): try again in half a minute"
        )
    try:
        yield
    finally:
        lock.drop()
