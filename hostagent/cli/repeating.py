"""--watch: the same screen again and again."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hostagent.cli.session import EXIT_UNKNOWN
from hostagent.cli.words import moment, paint, printable, put
from hostagent.errors import HostagentError

if TYPE_CHECKING:
    from collections.abc import Callable

    from hostagent.cli.session import Session

_EVERY_SECONDS = 2.0
_CLEAR = "\x1b[H\x1b[2J"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """One look: its exit code, a line that changes only with the state, and the whole ``screen``."""

    code: int
    line: str
    screen: str


def repeat(session: Session, look: Callable[[], Shown]) -> int:
    """Look until Ctrl-C: the whole on a terminal, a line per change of it in a pipe.

    Returns the exit code of what was shown last.
    """
    terminal = sys.stdout is not None and sys.stdout.isatty()
    said, last = "", EXIT_UNKNOWN
    try:
        while True:
            session.started = time.monotonic()
            try:
                shown = look()
            except HostagentError as error:
                line = f"{paint('UNKNOWN', 'unknown')} {printable(str(error))}"
                shown = Shown(code=EXIT_UNKNOWN, line=line, screen=f"{line}\n")
            last = shown.code
            if terminal:
                every = paint(f"{moment(time.time())}  every {_EVERY_SECONDS:g} s", "dim")
                put(f"{_CLEAR}{every}\n{shown.screen}")
            elif shown.line != said:
                put(f"{moment(time.time())} {shown.line}\n")
            said = shown.line
            if sys.stdout is not None:
                sys.stdout.flush()
            time.sleep(_EVERY_SECONDS)
    except KeyboardInterrupt:
        return last
