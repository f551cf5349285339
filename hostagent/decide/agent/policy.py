"""What of the believed findings the agent may repair by itself, and why the others are left alone."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from hostagent.config import Action
from hostagent.decide.agent.witness import with_witness
from hostagent.model.plan import Drift, Finding, Owner, Severity
from hostagent.model.published import LeftAlone

if TYPE_CHECKING:
    from hostagent.config import CodePolicy, Policy
    from hostagent.decide.agent.tries import Tries
    from hostagent.decide.agent.witness import Record
    from hostagent.model.ports import Ovs

_KEYS = {Owner.LIBVIRT: "libvirt", Owner.LIBVIRT_NAMED: "libvirt_named", Owner.OS_VIF: "os_vif"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sorted:
    """``drift`` is what may be repaired, ``left_alone`` the rest of what is wrong."""

    drift: Drift
    left_alone: tuple[LeftAlone, ...]


def sort_out(drift: Drift, ovs: Ovs, *, policy: Policy, record: Record, tries: Tries, now: float) -> Sorted:
    """Divide the findings that are believed; ``now`` is on the monotonic clock."""
    repaired: list[Finding] = []
    left: list[LeftAlone] = []
    for each in drift.findings:
        if each.severity is Severity.OK:
            continue
        finding = with_witness(each, record, ovs)
        if reason := _why_not(finding, policy) or tries.why_not(finding, now=now):
            left.append(LeftAlone(code=finding.code, object=finding.object, reason=reason))
        else:
            repaired.append(finding)
    return Sorted(drift=replace(drift, findings=tuple(repaired)), left_alone=tuple(left))


def _why_not(finding: Finding, policy: Policy) -> str:
    if finding.remedy is None:
        return finding.held or "hostagent has no repair for it"
    if finding.remedy.on_request:
        return f"done on request only: hostagent fix {finding.code}"
    code = policy.of(finding.code)
    if code is None:
        return "reported only"
    if finding.owner not in _KEYS:
        return finding.held or "the row is not ours"
    if _action(code, finding.owner) is Action.REPORT:
        return f"policy.{finding.code}.{_KEYS[finding.owner]} is report: hostagent fix {finding.code}"
    if not finding.remedy.witnessed:
        return (
            "nothing shows whose columns these are, and the XML is silent: "
            f"look at it, then hostagent fix {finding.code}"
        )
    return ""


def _action(code: CodePolicy, owner: Owner) -> Action:
    action: Action = getattr(code, _KEYS[owner])
    return action
