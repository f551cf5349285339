"""Files of the agent's own: whole or not at all."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from hostagent.act.places import sync

if TYPE_CHECKING:
    from pathlib import Path


def replace(path: Path, text: str, *, mode: int, group: int = -1, durable: bool = True) -> None:
    """Write a file in place of an older one; ``durable``: it is on disk when this returns.

    Raises:
        OSError: it can't be written; the older one is as it was.
    """
    scratch = path.with_name(f".{path.name}.new")
    number = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        os.fchown(number, -1, group)
        os.fchmod(number, mode)
        left = text.encode()
        while left:
            left = left[os.write(number, left) :]
        if durable:
            os.fsync(number)
    finally:
        os.close(number)
    scratch.replace(path)
    if durable:
        sync(path.parent)
