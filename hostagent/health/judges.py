"""What many checks evaluate in the same way. hostagent.health.api offers them to checks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hostagent.decide.boot.judging import why_blind, why_not_paced, why_old
from hostagent.decide.dhcp import judge
from hostagent.decide.memory.view import MemoryView, view
from hostagent.decide.unit_order import orderings
from hostagent.health.records import ObjectResult, State, Verdict
from hostagent.model.host import Trouble, Unavailable
from hostagent.model.plan import Severity

if TYPE_CHECKING:
    from collections.abc import Callable

    from hostagent.config import Pacing
    from hostagent.decide.dhcp import DhcpFinding
    from hostagent.health.records import Context
    from hostagent.model.boot_told import BootsTold
    from hostagent.model.plan import Finding


def judge_drift(code: str, one: str, many: str) -> Callable[[Context], Verdict]:
    """What a drift check evaluates: its code's findings, counted in the words ``one`` and ``many``.

    A section that could not be read makes it unknown, one that this host does not have skips it.
    """

    def evaluate(context: Context) -> Verdict:
        findings = context.drift.of(code)
        unknown = context.drift.unknown.get(code)
        state = _worst(findings)
        if unknown is not None and state is not State.CRIT:
            state = State.SKIP if unknown.skip and not findings else State.UNKNOWN
            return Verdict(state=state, summary=unknown.reason, objects=_objects(findings))
        count = len(findings)
        summary = f"{count or 'no'} {one if count == 1 else many}"
        return Verdict(
            state=state, summary=summary, objects=_objects(findings), fixable=any(map(_fixable, findings))
        )

    return evaluate


def judge_daemon(
    section: str, crit: frozenset[Trouble], name: str, words: Callable[[Any], str]
) -> Callable[[Context], Verdict]:
    """What a check of a daemon evaluates: whether ``section`` could be read, and if not, for which trouble.

    ``crit`` are the troubles that are this check's own; the other kind of silence is its sister's, for
    which it can't say anything. ``words`` describes the value that was read.
    """

    def evaluate(context: Context) -> Verdict:
        reading = getattr(context.snapshot, section)
        if not isinstance(reading, Unavailable):
            return Verdict(state=State.OK, summary=words(reading))
        if reading.trouble in crit:
            return Verdict(state=State.CRIT, summary=reading.reason)
        if reading.trouble in {Trouble.ABSENT, Trouble.NOT_ASKED}:
            return Verdict(state=State.SKIP, summary=reading.reason)
        if reading.trouble is Trouble.UNRESPONSIVE:
            return Verdict(state=State.OK, summary=f"{name} accepts connections, but does not answer")
        return Verdict(state=State.UNKNOWN, summary=reading.reason)

    return evaluate


def judge_order(code: str, one: str, many: str) -> Callable[[Context], Verdict]:
    """What a check of units' order evaluates: its code's orderings, with what is wrong counted in words."""

    def evaluate(context: Context) -> Verdict:
        units = context.snapshot.units
        if isinstance(units, Unavailable):
            return unread(units)
        found = [each for each in orderings(units) if each.code == code]
        if not found:
            return Verdict(state=State.SKIP, summary="this host does not have the units that it is about")
        wrong = tuple(
            ObjectResult(id=f"{each.later}/{each.earlier}", detail=each.words)
            for each in found
            if not each.right
        )
        count = len(wrong)
        state = State.WARN if wrong else State.OK
        return Verdict(state=state, summary=f"{count or 'no'} {one if count == 1 else many}", objects=wrong)

    return evaluate


def judge_memory(
    judge: Callable[[MemoryView], Verdict], *, guests: bool = True
) -> Callable[[Context], Verdict]:
    """What a check of memory evaluates: ``judge`` on the view, once all that it needs was read.

    With ``guests`` it needs the guests' memory too. Where no libvirt is there are no guests, and nothing to
    say: a node that lost its libvirt must not look healthy because its memory is free.
    """

    def evaluate(context: Context) -> Verdict:
        section = context.snapshot.guests_memory
        if isinstance(section, Unavailable) and (guests or section.trouble is Trouble.ABSENT):
            return unread(section)
        seen = context.memory or view(context.snapshot.memory, section, context.settings.memory)
        return unread(seen) if isinstance(seen, Unavailable) else judge(seen)

    return evaluate


def judge_dhcp(code: str, one: str, many: str) -> Callable[[Context], Verdict]:
    """What a check of DHCP evaluates: its code's findings on every network that is served or should be."""

    def evaluate(context: Context) -> Verdict:
        dhcp = context.snapshot.dhcp
        if isinstance(dhcp, Unavailable):
            return unread(dhcp)
        judged = judge(dhcp, context.snapshot.domains, context.snapshot.taken_at)
        found = judged.of(code)
        objects = tuple(ObjectResult(id=each.object, detail=each.detail) for each in found)
        state = _worst(found)
        if code in judged.unknown and state is not State.CRIT:
            return Verdict(state=State.UNKNOWN, summary=judged.unknown[code], objects=objects)
        if code in judged.skipped and not found:
            return Verdict(state=State.SKIP, summary=judged.skipped[code])
        count = len(found)
        return Verdict(state=state, summary=f"{count or 'no'} {one if count == 1 else many}", objects=objects)

    return evaluate


def judge_boots(
    judge: Callable[[BootsTold, Pacing], Verdict], *, blind: bool = False
) -> Callable[[Context], Verdict]:
    """What a check of boots evaluates: ``judge`` on what the agent's pacing tells.

    Without pacing there is nothing to say. Without libvirt it is not known, unless the check does not need it
    (``blind``).
    """

    def evaluate(context: Context) -> Verdict:
        boots, pacing = context.boots, context.settings.boot
        why = why_not_paced(boots, pacing)
        if boots is None or why:
            return Verdict(state=State.SKIP, summary=why)
        domains = context.snapshot.domains
        if not blind and isinstance(domains, Unavailable):
            return unread(domains)
        why = why_old(boots, context.snapshot.taken_at) or ("" if blind else why_blind(boots))
        if why:
            return Verdict(state=State.UNKNOWN, summary=why)
        return judge(boots, pacing)

    return evaluate


def unread(section: Unavailable) -> Verdict:
    """The verdict on a section that was not read: skipped where the host has no such thing."""
    skip = section.trouble in {Trouble.ABSENT, Trouble.NOT_ASKED}
    return Verdict(state=State.SKIP if skip else State.UNKNOWN, summary=section.reason)


def _worst(findings: tuple[Finding | DhcpFinding, ...]) -> State:
    severities = {finding.severity for finding in findings}
    if Severity.CRIT in severities:
        return State.CRIT
    return State.WARN if Severity.WARN in severities else State.OK


def _objects(findings: tuple[Finding, ...]) -> tuple[ObjectResult, ...]:
    return tuple(
        ObjectResult(
            id=each.object, detail=f"{each.detail} (held: {each.held})" if each.held else each.detail
        )
        for each in findings
    )


def _fixable(finding: Finding) -> bool:
    return finding.remedy is not None and not finding.held
