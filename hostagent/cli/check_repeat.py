"""hostagent check --watch and --wait: the same question again and again."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

from hostagent.cli.check_text import status_line
from hostagent.cli.session import EXIT_OK, EXIT_UNKNOWN
from hostagent.cli.words import moment, paint, printable, put, say
from hostagent.errors import HostagentError

if TYPE_CHECKING:
    from collections.abc import Callable

    from hostagent.cli.session import Session
    from hostagent.health.report import Report

_EVERY_SECONDS = 2.0
_WAITING_SECONDS = 1.0
_CLEAR = "\x1b[H\x1b[2J"


def watch(
    session: Session, read: Callable[[], Report], show: Callable[[Report], str], code: Callable[[Report], int]
) -> int:
    """Show the node until Ctrl-C: the whole on a terminal, a line per change of it in a pipe.

    Returns the exit code of what was shown last.
    """
    terminal = sys.stdout is not None and sys.stdout.isatty()
    said, last = "", EXIT_UNKNOWN
    try:
        while True:
            session.started = time.monotonic()
            try:
                report = read()
                last, line, words = code(report), status_line(report, timed=False), show(report)
            except HostagentError as error:
                last = EXIT_UNKNOWN
                line = f"{paint('UNKNOWN', 'unknown')} {printable(str(error))}"
                words = f"{line}\n"
            if terminal:
                put(f"{_CLEAR}{paint(f'{moment(time.time())}  every {_EVERY_SECONDS:g} s', 'dim')}\n{words}")
            elif line != said:
                put(f"{moment(time.time())} {line}\n")
            said = line
            if sys.stdout is not None:
                sys.stdout.flush()
            time.sleep(_EVERY_SECONDS)
    except KeyboardInterrupt:
        return last


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
