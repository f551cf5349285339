"""Whether a host may be repaired now: what must have been read, and which guests must not be disturbed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hostagent.decide.drift.world import World, join
from hostagent.model.host import Snapshot, Unavailable

if TYPE_CHECKING:
    from collections.abc import Iterable

_NEEDED = ("domains", "ovs", "links", "vswitchd")


def missing(snapshot: Snapshot) -> str:
    """The first section that repairs need and that could not be read, with the reason, or ""."""
    for name in _NEEDED:
        section = getattr(snapshot, name)
        if isinstance(section, Unavailable):
            return f"{name}: {section.reason}"
    return ""


def ready(snapshot: Snapshot) -> World | str:
    """The joined snapshot, or why nothing may be repaired in it."""
    world = join(snapshot)
    if (words := missing(snapshot)) or world is None:
        return f"nothing is repaired without {words}"
    if world.ovs.flow_restore_wait:
        return "Open vSwitch restores flows (other_config:flow-restore-wait=true): try again afterwards"
    return world


def busy(
    name: str,
    world: World,
    *,
    domain: str | None = None,
    qos: Iterable[str] = (),
    queues: Iterable[str] = (),
) -> str:
    """Why nothing may be changed under this name now, or "".

    Every domain counts that runs with the name, that its row, QoS or queues speak of, or that is ``domain``.
    """
    ovs = world.ovs
    port, claim = ovs.ports.get(name), world.claims.get(name)
    ids = [] if port is None else [each.external_ids for each in port.interfaces]
    ids += [ovs.qos[uuid].external_ids for uuid in qos if uuid in ovs.qos]
    ids += [ovs.queues[uuid].external_ids for uuid in queues if uuid in ovs.queues]
    concerned = {row[key] for row in ids for key in ("vm-id", "vm-uuid") if key in row}
    concerned |= {domain} if domain else set()
    concerned |= {claim.domain.uuid} if claim else set()
    found = (world.domains.by_uuid.get(uuid) for uuid in sorted(concerned))
    return next((each.busy for each in found if each is not None and each.busy), "")
