"""The agent's unit, started again after a crash loop."""

from __future__ import annotations

import subprocess

from hostagent.errors import ActError

_SECONDS = 20.0


def start_again() -> None:
    """Have systemd start hostagent.service, which had failed too often; does not wait for it.

    Raises:
        ActError: in systemctl's words.
    """
    try:
        subprocess.run(
            ["/usr/bin/systemctl", "reset-failed", "hostagent.service"], check=False, timeout=_SECONDS
        )
        done = subprocess.run(
            ["/usr/bin/systemctl", "start", "--no-block", "hostagent.service"],
            capture_output=True,
            text=True,
            check=False,
            timeout=_SECONDS,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ActError(f"hostagent.service can't be started again: {error}") from error
    if done.returncode != 0:
        raise ActError(f"hostagent.service can't be started again: {done.stderr.strip()}")
