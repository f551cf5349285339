"""Repairs that did not work are tried again later and later: what fails at once fails at once again."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hostagent.model.plan import Finding, Step

FIRST_SECONDS = 5.0
LONGEST_SECONDS = 600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """How often in a row an object's repair has failed, with which words, and when the next one is due."""

    times: int
    reason: str
    not_before: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Tries:
    """Objects whose last repair failed, by the object's id. Times are on the monotonic clock."""

    by_object: Mapping[str, Failed] = field(default_factory=dict)

    def why_not(self, finding: Finding, *, now: float) -> str:
        """Why it is too early to try this object again, or ""."""
        failed = self.by_object.get(finding.object)
        if failed is None or now >= failed.not_before:
            return ""
        times = "" if failed.times == 1 else f", {failed.times} times in a row"
        return f"its repair failed{times} ({failed.reason}): tried again later"

    def after(self, step: Step, *, reason: str, now: float) -> Tries:
        """What is known after ``step`` has ended, done where ``reason`` is empty."""
        others = {name: each for name, each in self.by_object.items() if name != step.object}
        if reason:
            times = self.by_object[step.object].times + 1 if step.object in self.by_object else 1
            wait = min(LONGEST_SECONDS, FIRST_SECONDS * 2.0 ** min(times - 1, 10))
            others[step.object] = Failed(times=times, reason=reason, not_before=now + wait)
        return replace(self, by_object=others)

    def due(self, *, now: float) -> float | None:
        """When the next object may be tried again."""
        return min(
            (each.not_before for each in self.by_object.values() if each.not_before > now), default=None
        )

    def only(self, objects: frozenset[str]) -> Tries:
        """Without those that show nothing any more."""
        return replace(
            self, by_object={name: each for name, each in self.by_object.items() if name in objects}
        )
