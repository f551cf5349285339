"""What processes log: one line each, with its level before it where systemd reads it."""

from __future__ import annotations

import logging
import os
import sys

_SYSLOG = {logging.ERROR: 3, logging.WARNING: 4, logging.INFO: 6, logging.DEBUG: 7}  # sd-daemon(3)


class Lines(logging.Formatter):
    """One line each, of printable characters."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        words = " ".join(super().format(record).split())
        safe = "".join(char if char.isprintable() else "?" for char in words)
        return f"<{_SYSLOG.get(record.levelno, 6)}>{safe}" if "JOURNAL_STREAM" in os.environ else safe


def log_to_stderr() -> None:
    """From now on."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Lines())
    log = logging.getLogger("hostagent")
    log.addHandler(handler)
    log.setLevel(logging.INFO)
