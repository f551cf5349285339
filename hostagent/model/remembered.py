"""What the agent remembers across its own restarts, in state_dir/agent.json."""

from __future__ import annotations

from dataclasses import dataclass

from hostagent.model.published import Hold, Mute  # noqa: TC001  the types are read at run time, by model.plain

FILE = "agent.json"
SCHEMA = "hostagent.agent/v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Remembered:
    """What people and the latch have decided. Times are seconds since the epoch.

    Repairs before ``resumed_at`` do not count for the latch: a person has seen them.
    """

    schema: str = SCHEMA
    paused: Hold | None = None
    latched: Hold | None = None
    resumed_at: float = 0.0
    mutes: tuple[Mute, ...] = ()
