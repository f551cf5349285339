"""What all commands share: the settings file, the clock of the command, and how failure is said."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from hostagent.cli.words import printable, put, say
from hostagent.config import DEFAULT_FILE, Settings, load
from hostagent.errors import ConfigError

PLUGINS = ("nagios", "checkmk")
EXIT_OK, EXIT_WARN, EXIT_CRIT, EXIT_UNKNOWN = 0, 1, 2, 3
EXIT_PENDING, EXIT_PARTIAL, EXIT_REFUSED = 10, 11, 12

STARTED = time.monotonic()  # nearly the start of the process: this file is imported before any slow one


@dataclass(slots=True)
class Session:
    """One command line, ``started`` on the monotonic clock.

    ``plugin`` is "nagios" or "checkmk" where a monitoring system reads: it wants also a failure on stdout.
    """

    started: float
    plugin: str = ""
    config_file: Path | None = None

    def settings(self) -> Settings:
        """The node's settings.

        Raises:
            ConfigError: the file is wrong, or one that was named does not exist.
        """
        if self.config_file is not None:
            return load(self.config_file)
        return load(Path(DEFAULT_FILE), required=False)

    def settings_or_defaults(self) -> Settings:
        """The same for commands that must work offline: a wrong file is said and the defaults serve."""
        try:
            return self.settings()
        except ConfigError as error:
            for problem in error.problems:
                say(f"hostagent: {printable(problem)}")
            return Settings()

    def fail(self, reason: str) -> None:
        """Say in one line why there is no result."""
        line = printable(reason)
        if self.plugin == "nagios":
            put(f"UNKNOWN - {line.replace('|', '/')}\n")
        elif self.plugin == "checkmk":
            put(f"3 hostagent - {line}\n")
        else:
            say(f"hostagent: {line}")
