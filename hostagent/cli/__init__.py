"""The command line: arguments → calls → exit code."""

from __future__ import annotations

import contextlib
import os
import sys
from typing import NoReturn

from hostagent.cli.app import run
from hostagent.cli.session import STARTED

__all__ = ["main"]


def main() -> NoReturn:
    """Run one command and leave with its exit code."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")  # a C locale must not turn "→" into an error
    leave(run(sys.argv[1:], started=STARTED))


def leave(code: int) -> NoReturn:
    """End the process at once: a reader thread that is stuck in C code must not keep it alive."""
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except BrokenPipeError:
        code = 141  # what a shell reports for SIGPIPE
    except OSError as error:
        with contextlib.suppress(OSError):
            sys.stderr.write(f"hostagent: the output can't be written: {error.strerror}\n")
        code = 3
    with contextlib.suppress(OSError):
        if sys.stderr is not None:
            sys.stderr.flush()
    os._exit(code)
