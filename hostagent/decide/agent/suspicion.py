"""What looks over a grace period agree on, for one who looks again and again. Pure: the clock is an argument.

A finding is believed when every look for so long has shown it of the same object, two looks at least: while a
guest starts or stops, much looks wrong for a moment.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hostagent.decide.drift.codes import CODES
from hostagent.decide.drift.grace import Key, key_of
from hostagent.model.plan import Drift, Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hostagent.config import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspect:
    """One finding's first sight, and the event that led to that look, both on the monotonic clock."""

    since: float
    woken_at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspicions:
    """All findings of the last look that need a grace, by their keys."""

    by_key: Mapping[Key, Suspect] = field(default_factory=dict)

    def woken_at(self, finding: Finding) -> float | None:
        """When the event came that led to the finding; None for one that needs no grace."""
        suspect = self.by_key.get(key_of(finding))
        return None if suspect is None else suspect.woken_at


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """``drift`` has only what is believed; ``due``, monotonic, is when the next finding may be."""

    suspicions: Suspicions
    drift: Drift
    due: float | None


def observe(before: Suspicions, drift: Drift, *, now: float, woken_at: float, settings: Settings) -> Observed:
    """Hold one look, which began at ``now``, against what was suspected before.

    What a look does not show, or can't judge, is forgotten: its time begins anew.
    """
    known: dict[Key, Suspect] = {}
    believed: list[Finding] = []
    due: list[float] = []
    for finding in drift.findings:
        if not CODES[finding.code].grace or finding.severity is Severity.OK:
            believed.append(finding)
            continue
        key = key_of(finding)
        earlier = before.by_key.get(key)
        known[key] = earlier or Suspect(since=now, woken_at=woken_at)
        ripe = known[key].since + _grace_seconds(finding.code, settings)
        if earlier is not None and now >= ripe:
            believed.append(finding)
        else:
            due.append(ripe)
    return Observed(
        suspicions=Suspicions(by_key=known),
        drift=Drift(findings=tuple(believed), unknown=drift.unknown),
        due=min(due, default=None),
    )


def _grace_seconds(code: str, settings: Settings) -> float:
    policy = settings.policy.of(code)
    return settings.looks.grace_seconds if policy is None else policy.grace_seconds
