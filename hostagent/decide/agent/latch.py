"""The agent's latch: what has to be repaired again and again needs a person."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

HOUR_SECONDS = 3600.0


def within_the_hour(done: Sequence[float], *, now: float, resumed_at: float) -> int:
    """How many of the repairs, by when each was done, count: the last hour's, since a person's resume."""
    return sum(at > max(now - HOUR_SECONDS, resumed_at) for at in done)


def latched(count: int, *, max_per_hour: int) -> str:
    """Why the agent stops acting, or "" while there were not too many repairs."""
    if count < max_per_hour:
        return ""
    return (
        f"{count} repairs within an hour, agent.max_per_hour is {max_per_hour}: something keeps breaking "
        "(hostagent history), then hostagent resume"
    )
