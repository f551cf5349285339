"""The directories that hostagent keeps: made with the right mode, refused when others could write there."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def private(path: Path) -> str:
    """Make ``path`` (mode 0700) and its parents (0755) if need be, and say what is wrong with it, or "".

    Raises:
        OSError: it can't be made or looked at.
    """
    if not path.is_dir():
        path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        path.mkdir(mode=0o700, exist_ok=True)
        sync(path.parent)
    for each in (path, path.parent):
        if fault := untrusted(each):
            return fault
    return ""


def untrusted(path: Path) -> str:
    """Why others than root and this user could change what is in ``path``, or ""."""
    found = path.lstat()
    if not stat.S_ISDIR(found.st_mode):
        return f"{path} is not a directory"
    if found.st_uid not in {0, os.geteuid()}:
        return f"{path} belongs to user {found.st_uid}, not to root: chown root {path}"
    if found.st_mode & 0o022 and not found.st_mode & stat.S_ISVTX:
        return f"others may write to {path} (mode {stat.S_IMODE(found.st_mode):04o}): chmod go-w {path}"
    return ""


def sync(directory: Path) -> None:
    """Put a directory's entries on disk."""
    number = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
