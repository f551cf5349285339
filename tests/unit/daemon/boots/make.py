"""Guests as pacing sees them, for tests."""

from __future__ import annotations

from typing import Any

from hostagent.model.boot_guests import BootGuest
from hostagent.model.guests import DomainState


def guest(name: str = "a", *, run: int | None = 1, **other: Any) -> BootGuest:
    """A running guest; shut off without ``run``."""
    off = run is None
    state = other.pop("state", DomainState.SHUTOFF if off else DomainState.RUNNING)
    return BootGuest(
        uuid=f"uuid-{name}",
        name=name,
        id=run,
        state=state,
        reason=other.pop("reason", "" if off else "booted"),
        **other,
    )


def paused(name: str = "a", *, run: int = 1, reason: str = "user", **other: Any) -> BootGuest:
    """A guest that is paused."""
    return guest(name, run=run, state=DomainState.PAUSED, reason=reason, **other)
