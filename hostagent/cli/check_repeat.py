"""hostagent check --watch and --wait: the same question again and again."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

from hostagent.cli.check_text import status_line
from hostagent.cli.repeating import Shown, repeat
from hostagent.cli.session import EXIT_OK
from hostagent.cli.words import printable, say
from hostagent.errors import HostagentError

if TYPE_CHECKING:
    from collections.abc import Callable

    from hostagent.cli.session import Session
    from hostagent.health.report import Report

_WAITING_SECONDS = 1.0


def watch(
    session: Session, read: Callable[[], Report], show: Callable[[Report], str], code: Callable[[Report], int]
) -> int:
    """Show the node until Ctrl-C; the exit code of what was shown last."""

    def look() -> Shown:
        report = read()
        return Shown(code=code(report), line=status_line(report, timed=False), screen=show(report))

    return repeat(session, look)


def wait(
    session: Session, read: Callable[[], Report], code: Callable[[Report], int], *, seconds: float
) -> Report:
    """Read until all is well, for at most so long; the last report.

    Raises:
        HostagentError: there was none at the end.
    """
    until = time.monotonic() + seconds
    terminal = sys.stderr is not None and sys.stderr.isatty()
    said = ""
    while True:
        session.started = time.monotonic()
        try:
            report = read()
        except HostagentError as error:
            if time.monotonic() + _WAITING_SECONDS > until:
                raise
            line = printable(str(error))
        else:
            if code(report) == EXIT_OK or time.monotonic() + _WAITING_SECONDS > until:
                return report
            line = status_line(report, timed=False)
        if terminal and line != said:
            say(f"waiting: {line}")
        said = line
        time.sleep(_WAITING_SECONDS)
