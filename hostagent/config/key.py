"""A key of the settings file: its default, its range, and the words that documentation prints."""

from __future__ import annotations

from dataclasses import field
from typing import TypeVar

T = TypeVar("T")


def key(
    default: T,
    about: str,
    *,
    least: float | None = None,
    most: float | None = None,
    absolute: bool = False,
    stated: bool = False,
) -> T:
    """A field of a settings record.

    Numbers (each one of a list) are from ``least`` to ``most``; ``absolute`` is a path from the root,
    which may be empty where the default is. ``stated``: the installed file sets it, not as a comment.
    """
    limits = {"about": about, "least": least, "most": most, "absolute": absolute, "stated": stated}
    value: T = field(default=default, metadata=limits)
    return value
