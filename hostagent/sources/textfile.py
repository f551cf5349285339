"""Small files of the kernel's: their text, or that there is none."""

from __future__ import annotations

from pathlib import Path


def read_text(path: str) -> str | None:
    """The text of one small file; None where this kernel has no such file or this user may not read it."""
    try:
        return Path(path).read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:  # ENOENT, EACCES; EOPNOTSUPP of PSI that is switched off; ESRCH of an ended process
        return None


def read_number(path: str) -> int | None:
    """A file that holds one whole number, which may be negative."""
    text = (read_text(path) or "").strip()
    return int(text) if text.removeprefix("-").isdecimal() else None
