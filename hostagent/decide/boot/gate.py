"""Which guest that has just started may be held at all: everything else is counted and left alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hostagent.model.boot import Boot, Started


def why_not_held(boot: Boot, started: Started) -> str:
    """Why a guest must not be suspended, whatever the limit says, or ""."""
    if boot.managed:
        return f"{boot.managed} runs it"
    if boot.exempt:
        return "exempt from pacing"
    if started.cause != "booted":
        return f"it was {started.cause}, not booted"
    if started.paused:
        return f"already paused by {started.paused}"
    if started.requests:
        return f"already did {started.requests} I/Os"
    return ""
