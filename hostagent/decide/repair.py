"""From findings to a Plan: one step per object, what is held and why, and the caps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hostagent.decide.ready import busy, ready
from hostagent.model.plan import Drift, Finding, Held, Plan, Step, StepKind, Value

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hostagent.config import Repair
    from hostagent.decide.drift.world import World
    from hostagent.model.host import Snapshot
    from hostagent.model.ports import Links, Ovs, OvsPort

# A port that goes away needs nothing else; a re-add takes the column changes along.
_RANK = {
    StepKind.DELETE_PORT: 0,
    StepKind.READD_PORT: 1,
    StepKind.ADD_PORT: 2,
    StepKind.SET_COLUMNS: 3,
}
_UNDO = {
    StepKind.DELETE_PORT: "puts the row back with every column",
    StepKind.READD_PORT: "puts the old columns and bridge back",
    StepKind.ADD_PORT: "deletes the port again",
    StepKind.SET_COLUMNS: "sets the old values again",
    StepKind.DELETE_QOS: "makes the QoS and its queues again",
    StepKind.DELETE_QUEUE: "makes the queue again",
    StepKind.LINK_UP: "sets the link down again",
    StepKind.DELETE_TAP: "none: a tap is made by the process that uses it",
}
_INTERRUPTS = frozenset({StepKind.READD_PORT, StepKind.SET_COLUMNS})


def plan_repair(
    drift: Drift,
    snapshot: Snapshot,
    *,
    limits: Repair,
    codes: frozenset[str] = frozenset(),
    force: bool = False,
) -> Plan:
    """Decide what to do about ``drift``, as confirmed by two looks of which ``snapshot`` is the second.

    ``codes`` restricts the plan; remedies that are made on request need theirs named. ``force``
    lifts the caps, never the rules.
    """
    world = ready(snapshot)
    if isinstance(world, str):
        return Plan(steps=(), refused=world)
    held: list[Held] = []
    chosen: dict[tuple[str, str], list[Finding]] = {}
    for finding in drift.findings:
        if codes and finding.code not in codes:
            continue
        if reason := _why_not(finding, codes, world):
            held.append(Held(code=finding.code, object=finding.object, reason=reason))
        elif finding.remedy is not None:
            own_step = finding.remedy.kind is StepKind.LINK_UP
            chosen.setdefault((finding.object, "link" if own_step else ""), []).append(finding)
    steps = tuple(merged_step(group, world.ovs, world.links) for _, group in sorted(chosen.items()))
    return Plan(
        steps=steps, held=tuple(held), forced=force, refused="" if force else _over_cap(steps, world, limits)
    )


def latched(steps: int, *, within_the_hour: int, limits: Repair) -> str:
    """Why no more may be done for now, or "": what has to be repaired again and again needs a person."""
    if within_the_hour + steps <= limits.max_per_hour:
        return ""
    return (
        f"{within_the_hour} steps were carried out within the last hour, {steps} more exceed max_per_hour = "
        f"{limits.max_per_hour}: something keeps breaking (hostagent history), then --force"
    )


def _why_not(finding: Finding, codes: frozenset[str], world: World) -> str:
    if finding.remedy is None:
        return finding.held
    if finding.remedy.on_request and finding.code not in codes:
        return f"done on request only: hostagent fix {finding.code}"
    return busy(
        finding.name, world, domain=finding.domain, qos=finding.remedy.qos, queues=finding.remedy.queues
    )


def merged_step(group: list[Finding], ovs: Ovs, links: Links) -> Step:
    """Merge one object's remedies into one step: the strongest kind, with the others' columns."""
    pairs = sorted(
        ((f, f.remedy) for f in group if f.remedy), key=lambda pair: _RANK.get(pair[1].kind, len(_RANK))
    )
    ranked, remedies = [f for f, _ in pairs], [r for _, r in pairs]
    first, lead = pairs[0]
    taken = [r for r in remedies if r.kind is lead.kind or {r.kind, lead.kind} <= _INTERRUPTS]
    port = ovs.ports.get(first.name) if lead.kind not in {StepKind.ADD_PORT, StepKind.DELETE_TAP} else None
    target = next(
        (r.bridge for r in remedies if port is not None and r.bridge not in {"", port.bridge}), lead.bridge
    )
    interface = None if port is None else port.interfaces[0]
    link = links.by_name.get(first.name)
    return Step(
        kind=lead.kind,
        object=first.object,
        name=first.name,
        codes=tuple(sorted({f.code for f in ranked})),
        reason="; ".join(dict.fromkeys(f.detail for f in ranked)),
        undo=_UNDO[lead.kind],
        owner=first.owner,
        port=None if port is None else port.uuid,
        interface=None if interface is None else interface.uuid,
        bridge=lead.bridge if port is None else port.bridge,
        target_bridge=target,
        ofport=None if interface is None else interface.ofport,
        ifindex=None if link is None else link.ifindex,
        domain=first.domain,
        changes=tuple(change for r in taken for change in r.changes),
        external_ids=lead.external_ids,
        limit=next((r.limit for r in taken if r.limit), {}),
        qos=tuple(dict.fromkeys(uuid for r in taken for uuid in r.qos)),
        queues=tuple(dict.fromkeys(uuid for r in taken for uuid in r.queues)),
        expect={} if port is None else dict(_decided_on(port)),
        on_request=any(r.on_request for r in remedies),
        witnessed=all(r.witnessed for r in remedies),
    )


def _decided_on(port: OvsPort) -> Iterator[tuple[str, Value]]:
    """The columns that the decision rests on; a row in which one of them changed is decided anew."""
    interface = port.interfaces[0]
    yield "Port.tag", port.tag
    yield "Port.trunks", port.trunks
    yield "Port.vlan_mode", port.vlan_mode
    yield "Port.qos", port.qos
    yield "Port.external_ids", dict(port.external_ids)
    yield "Port.other_config", dict(port.other_config)
    yield "Interface.type", interface.type
    yield "Interface.external_ids", dict(interface.external_ids)
    yield "Interface.ingress_policing_rate", interface.ingress_policing_rate
    yield "Interface.ingress_policing_burst", interface.ingress_policing_burst


def _over_cap(steps: tuple[Step, ...], world: World, limits: Repair) -> str:
    """Why this is too much at once, or "".

    After a power cut every row may be stale, so that only running guests' ports have a share.
    """
    if len(steps) > limits.max_steps:
        return (
            f"{len(steps)} steps are more than max_steps = {limits.max_steps}: look at the plan, then --force"
        )
    touched = sum(step.kind in _INTERRUPTS for step in steps)
    live = sum(name in world.claims for name in world.ovs.ports)
    if touched > limits.min_live_ports and touched > limits.max_live_share * live:
        return (
            f"{touched} of {live} running guests' ports would be changed, more than "
            f"max_live_share = {limits.max_live_share:g}: look at the plan, then --force"
        )
    return ""
