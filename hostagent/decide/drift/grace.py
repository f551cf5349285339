"""What two looks a grace period apart agree on: a guest that starts or stops looks wrong for a moment."""

from __future__ import annotations

from typing import TypeAlias

from hostagent.decide.drift.codes import CODES
from hostagent.model.plan import Drift, Finding, Severity

Key: TypeAlias = tuple[str, str, tuple[str, ...]]


def wants_second_look(drift: Drift) -> bool:
    """Whether something found is normal for a moment, so that one look proves nothing."""
    return any(CODES[each.code].grace and each.severity is not Severity.OK for each in drift.findings)


def confirmed(first: Drift, second: Drift) -> Drift:
    """The second look, less what the first did not show of the same object.

    A code that either look could not judge is unknown.
    """
    unknown = {**first.unknown, **second.unknown}
    seen = {key_of(each) for each in first.findings}
    kept = (
        each
        for each in second.findings
        if each.code not in unknown
        and (not CODES[each.code].grace or each.severity is Severity.OK or key_of(each) in seen)
    )
    return Drift(findings=tuple(kept), unknown=unknown)


def key_of(finding: Finding) -> Key:
    """What must be the same in two looks for them to show the same thing."""
    return finding.code, finding.object, finding.identity
