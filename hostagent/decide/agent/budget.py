"""How much the agent may look: at once after a quiet time, at a fifth of a core in a storm of events."""

from __future__ import annotations

from dataclasses import dataclass, replace

SHARE = 0.2  # of one core
MOST_SECONDS = 2.0  # saved up while nothing happens


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """Seconds of looking that are left, as of ``at`` on the monotonic clock; negative is a debt."""

    seconds: float = MOST_SECONDS
    at: float = 0.0

    def spent(self, seconds: float, *, now: float) -> Budget:
        """What is left after a look that took ``seconds`` and ended at ``now``."""
        saved = min(MOST_SECONDS, self.seconds + SHARE * (now - self.at))
        return replace(self, seconds=saved - seconds, at=now)

    def ready_at(self, *, now: float) -> float:
        """When the next look may begin."""
        left = self.seconds + SHARE * (now - self.at)
        return now if left >= 0 else now - left / SHARE
