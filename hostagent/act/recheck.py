"""The second thoughts just before the first transaction: does a step still hold in a new Snapshot? Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hostagent.decide.ready import busy, ready
from hostagent.errors import RefusedError
from hostagent.model.host import Unavailable
from hostagent.model.plan import Owner, Step, StepKind

if TYPE_CHECKING:
    from hostagent.decide.drift.world import World
    from hostagent.model.host import Snapshot

_OF_A_GUEST = frozenset({StepKind.READD_PORT, StepKind.ADD_PORT, StepKind.SET_COLUMNS, StepKind.LINK_UP})
_NOT_OURS = frozenset({Owner.OTHER, Owner.IGNORED})


def world_of(snapshot: Snapshot) -> World:
    """The joined snapshot.

    Raises:
        RefusedError: a section that repairs need is missing, or Open vSwitch is restoring flows.
    """
    world = ready(snapshot)
    if isinstance(world, str):
        raise RefusedError(world)
    return world


def objection(step: Step, world: World) -> str:
    """Why the step may no longer be done, in an operator's words, or ""."""
    port = world.ovs.ports.get(step.name)
    claim = world.claims.get(step.name)
    link = world.link(step.name)
    if (
        port is not None
        and world.owners[step.name].owner in _NOT_OURS
        and step.kind is not StepKind.DELETE_TAP
    ):
        return f"{port.object_id} is not ours to touch any more: {world.owners[step.name].whose}"
    if words := busy(step.name, world, domain=step.domain, qos=step.qos, queues=step.queues):
        return words
    if step.kind in _OF_A_GUEST:
        if claim is None or (step.domain is not None and claim.domain.uuid != step.domain):
            return f"the running guest that {step.name} was of has gone"
        if link is None or (step.ifindex is not None and link.ifindex != step.ifindex):
            return f"tap {step.name} is not the one that was looked at"
    if step.kind is StepKind.DELETE_PORT:
        if claim is not None:
            return f"domain {claim.domain.name} is running with {step.name} by now"
        if link is not None:
            return f"a tap {step.name} exists by now: a guest is being started"
    if step.kind is StepKind.DELETE_TAP:
        return _tap_in_use(step, world)
    return ""


def _tap_in_use(step: Step, world: World) -> str:
    link, holders = world.link(step.name), world.snapshot.tap_holders
    if link is None or link.ifindex != step.ifindex:
        return f"tap {step.name} is not the one that was looked at"
    if step.name in world.claims:
        return f"domain {world.claims[step.name].domain.name} is running with {step.name} by now"
    if isinstance(holders, Unavailable):
        return f"nobody knows whether a process holds tap {step.name}: {holders.reason}"
    if held := holders.get(step.name):
        return f"process {held[0]} holds tap {step.name} by now"
    return ""
