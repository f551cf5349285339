"""Directories and files that hostagent keeps: with the right mode, not others', whole or not at all."""

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


def replace(
    path: Path,
    text: str,
    *,
    mode: int,
    group: int = -1,
    durable: bool = True,
    scratch_dir: Path | None = None,
) -> None:
    """Write a file in place of an older one; ``durable``: it is on disk when this returns.

    It is made in ``scratch_dir``, on the same file system, where whoever reads the folder must not meet it
    half made.

    Raises:
        OSError: it can't be written; the older one is as it was.
    """
    scratch = (scratch_dir or path.parent) / f".{path.name}.{os.getpid()}.new"
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW
    number = os.open(scratch, flags, 0o600)
    try:
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
    except OSError:
        scratch.unlink(missing_ok=True)
        raise
    if durable:
        sync(path.parent)
