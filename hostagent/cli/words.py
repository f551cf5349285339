"""Text on a terminal or in a pipe: safe whatever a guest is called, aligned, coloured only for a person."""

from __future__ import annotations

import json
import os
import sys
import time
from typing import TYPE_CHECKING, Any

from hostagent.errors import HostagentError

if TYPE_CHECKING:
    from collections.abc import Sequence

_COLORS = {"crit": "31;1", "warn": "33", "unknown": "35", "ok": "32", "skip": "2", "bold": "1", "dim": "2"}


def printable(text: str, *, keep: str = "") -> str:
    """``text`` with everything that a terminal could obey shown as an escape; names come from tenants."""
    return "".join(char if char.isprintable() or char in keep else _escape(char) for char in text)


def _escape(char: str) -> str:
    code = ord(char)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def colored() -> bool:
    """Whether stdout shows colours: a terminal, and NO_COLOR (no-color.org) is not set."""
    plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
    return not plain and sys.stdout is not None and sys.stdout.isatty()


def paint(text: str, kind: str) -> str:
    """``text`` in the colour of a state, or as it is where nothing shows colours."""
    return f"\x1b[{_COLORS[kind]}m{text}\x1b[0m" if colored() else text


def span(seconds: float) -> str:
    """A length of time as a person says it: 12 s, 5 min, 3 h, 2 d."""
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{max(seconds, 0):.0f} s"


def moment(seconds: float) -> str:
    """A time as this host's clock shows it, with its zone."""
    return time.strftime("%Y-%m-%d %H:%M:%S %Z", time.localtime(seconds))


def table(rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows as aligned lines; the first row is the header."""
    cells = [[printable(cell) for cell in row] for row in rows]
    widths = [max(len(cell) for cell in column) for column in zip(*cells, strict=True)]
    lines = ["  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip() for row in cells]
    return [paint(lines[0], "bold"), *lines[1:]]


def put(text: str) -> None:
    """Data, to stdout.

    Raises:
        HostagentError: it can't be written; BrokenPipeError: nobody reads any more.
    """
    try:
        if sys.stdout is not None:
            sys.stdout.write(text)
    except BrokenPipeError:
        raise
    except OSError as error:
        sys.stdout = None  # what its buffer still holds can't be written either
        raise HostagentError(f"the output can't be written: {error.strerror}") from error


def put_json(document: dict[str, Any]) -> None:
    """A document, to stdout. ASCII only, so that no name in it can be obeyed by a terminal."""
    put(json.dumps(document, indent=2).replace("\x7f", "\\u007f") + "\n")


def say(text: str) -> None:
    """Talk, to stderr."""
    if sys.stderr is not None:
        sys.stderr.write(f"{text}\n")
