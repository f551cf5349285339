"""systemd's word on the whole node and on the agent's unit; "" and {} where it says nothing."""

from __future__ import annotations

import subprocess

_SECONDS = 20.0


def node_state() -> str:
    """``systemctl is-system-running`` in one word: starting, running, degraded, stopping and others."""
    try:
        done = subprocess.run(
            ["/usr/bin/systemctl", "is-system-running"],  # exits 1 for all words but "running"
            capture_output=True,
            text=True,
            check=False,
            timeout=_SECONDS,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip()


def agent_state() -> dict[str, str]:
    """ActiveState, Result, ExecMainCode (waitid's si_code) and ExecMainStatus of hostagent.service."""
    try:
        done = subprocess.run(
            [
                "/usr/bin/systemctl",
                "show",
                "--property=ActiveState,Result,ExecMainCode,ExecMainStatus",
                "hostagent.service",
            ],
            capture_output=True,
            text=True,
            check=False,
            timeout=_SECONDS,
        )
    except (OSError, subprocess.TimeoutExpired):
        return {}
    return dict(line.split("=", 1) for line in done.stdout.splitlines() if "=" in line)
