"""hostagent-release: run by systemd when the agent has stopped or failed. Settings and arguments."""

from __future__ import annotations

import logging
import os
import tomllib
from argparse import ArgumentParser
from pathlib import Path

from hostagent.config import DEFAULT_FILE, Settings, load, parse
from hostagent.daemon.lines import log_to_stderr
from hostagent.daemon.notify import Notifier
from hostagent.daemon.releaser import Releaser
from hostagent.decide.boot.releasing import Pace
from hostagent.errors import ConfigError, HostagentError

_LOG = logging.getLogger("hostagent")
_NOW = Pace(grace=0.0, resume=1.0, start=1.0, again=5.0)


def main() -> int:
    """Release what the agent held; the exit status."""
    parser = ArgumentParser(
        prog="hostagent-release", description="Releases held guests in the agent's place, run by systemd."
    )
    parser.add_argument("--config", type=Path, help=f"settings file, TOML (default: {DEFAULT_FILE})")
    parser.add_argument("--now", action="store_true", help="wait for no agent, and heed no pause")
    arguments = parser.parse_args()
    log_to_stderr()
    if os.geteuid() != 0:
        _LOG.error("releasing guests needs root (systemctl start hostagent-release)")
        return 1
    settings = usable_settings(arguments.config or Path(DEFAULT_FILE))
    pace = _NOW if arguments.now else Pace()
    try:
        done = Releaser(settings, Notifier(), pace, forced=arguments.now).run()
    except (HostagentError, OSError) as error:
        _LOG.error("%s", error)
        return 1
    return 0 if done else 1


def usable_settings(file: Path) -> Settings:
    """The settings; of a file with faults the tables that say where things are, else the defaults.

    Wrong settings are one of the reasons why there is no agent: guests must not stay held for that.
    """
    try:
        return load(file, required=False)
    except ConfigError as error:
        _LOG.warning("%s; what is not understood is as by default", error.problems[0])
    try:
        raw = tomllib.loads(file.read_bytes().decode())
        return parse({name: raw[name] for name in ("paths", "sources") if name in raw}, str(file))
    except (OSError, ValueError, ConfigError):
        return Settings()
