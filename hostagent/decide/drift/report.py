"""Makes findings: one shape for all detectors, so that log, CLI, metric and test share its words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hostagent.decide.drift.codes import CODES
from hostagent.model.plan import Finding, Owner, Remedy

if TYPE_CHECKING:
    from hostagent.decide.drift.world import World
    from hostagent.model.guests import Domain
    from hostagent.model.ports import OvsPort


def port_finding(
    code: str,
    world: World,
    port: OvsPort,
    detail: str,
    *,
    domain: Domain | None = None,
    remedy: Remedy | None = None,
) -> Finding:
    """A finding about a port's row, with its owner.

    It is the same thing in two looks while row, tap and domain are the same.
    """
    link = world.link(port.name)
    identity = (port.uuid, "" if link is None else str(link.ifindex), "" if domain is None else domain.uuid)
    owned = world.owners[port.name]
    held = ""
    if remedy is None and owned.owner is Owner.OTHER:
        held = (
            f"the row is {owned.whose}'s" if " " not in owned.whose else f"the row is not ours: {owned.whose}"
        )
    return Finding(
        code=code,
        object=port.object_id,
        name=port.name,
        detail=detail,
        severity=CODES[code].severity,
        owner=owned.owner,
        identity=identity,
        domain=None if domain is None else domain.uuid,
        remedy=remedy,
        held=held,
    )


def finding(
    code: str,
    object_id: str,
    detail: str,
    *,
    identity: tuple[str, ...],
    remedy: Remedy | None = None,
    owner: Owner = Owner.OTHER,
) -> Finding:
    """A finding about something that is no port."""
    return Finding(
        code=code,
        object=object_id,
        name=object_id,
        detail=detail,
        severity=CODES[code].severity,
        owner=owner,
        identity=identity,
        remedy=remedy,
    )
