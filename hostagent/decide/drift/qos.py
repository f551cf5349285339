"""QoS and Queue rows that libvirt made. They are root tables: nothing removes them with their port."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hostagent.decide.drift.owners import GENERATED
from hostagent.decide.drift.report import finding
from hostagent.model.plan import Finding, Owner, Remedy, StepKind

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from hostagent.model.guests import Domains
    from hostagent.model.ports import Ovs, OvsPort

ORPHAN = "OVS_QOS_ORPHAN"


def made_by_libvirt(external_ids: Mapping[str, str]) -> bool:
    """libvirt marks its QoS and Queue rows with both ids."""
    return "vm-id" in external_ids and "ifname" in external_ids


def libvirt_qos(ovs: Ovs, port: OvsPort) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The libvirt-made QoS of ``port`` and its queues, as far as nothing else uses them."""
    row = ovs.qos.get(port.qos or "")
    if row is None or not made_by_libvirt(row.external_ids):
        return (), ()
    if any(other.qos == row.uuid for other in ovs.ports.values() if other.uuid != port.uuid):
        return (), ()
    return (row.uuid,), _queues_only_of(ovs, {row.uuid})


def _queues_only_of(ovs: Ovs, qos: set[str]) -> tuple[str, ...]:
    inside = {queue for uuid in qos for queue in ovs.qos[uuid].queues}
    outside = {queue for uuid, row in ovs.qos.items() if uuid not in qos for queue in row.queues}
    return tuple(
        sorted(
            queue
            for queue in inside - outside
            if queue in ovs.queues and made_by_libvirt(ovs.queues[queue].external_ids)
        )
    )


def find(ovs: Ovs, domains: Domains) -> Iterator[Finding]:
    """OVS_QOS_ORPHAN: rows of libvirt's that no port or QoS references."""
    referenced = {port.qos for port in ovs.ports.values()}
    for uuid, row in sorted(ovs.qos.items()):
        if uuid in referenced or not made_by_libvirt(row.external_ids) or _waits(row.external_ids, domains):
            continue
        remedy = Remedy(kind=StepKind.DELETE_QOS, qos=(uuid,), queues=_queues_only_of(ovs, {uuid}))
        yield _orphan("QoS", uuid, row.external_ids, domains, remedy)
    held = {queue for row in ovs.qos.values() for queue in row.queues}
    for uuid, queue in sorted(ovs.queues.items()):
        if uuid in held or not made_by_libvirt(queue.external_ids) or _waits(queue.external_ids, domains):
            continue
        remedy = Remedy(kind=StepKind.DELETE_QUEUE, queues=(uuid,))
        yield _orphan("queue", uuid, queue.external_ids, domains, remedy)


def _waits(ids: Mapping[str, str], domains: Domains) -> bool:
    """Whether the row will be used again: by libvirt at the guest's next start, or for its missing port.

    libvirt 9.0 leaves the rows behind at every clean stop (measured) and looks for vm-id and ifname at
    the next start: with a given name it takes them up, with a generated one it makes new ones.
    """
    domain = domains.by_uuid.get(ids["vm-id"])
    interfaces = () if domain is None else (*domain.interfaces, *domain.persistent_interfaces)
    return any(each.tap == ids["ifname"] for each in interfaces)


def left_over(ovs: Ovs, domain: str, tap: str) -> str | None:
    """The QoS that libvirt made for this tap of this domain, if no port has it any more."""
    referenced = {port.qos for port in ovs.ports.values()}
    for uuid, row in sorted(ovs.qos.items()):
        if uuid not in referenced and row.external_ids == {"vm-id": domain, "ifname": tap}:
            return uuid
    return None


def _orphan(what: str, uuid: str, ids: Mapping[str, str], domains: Domains, remedy: Remedy) -> Finding:
    domain = domains.by_uuid.get(ids["vm-id"])
    whose = f"domain {domain.name}" if domain else f"domain {ids['vm-id']}, which libvirt does not know"
    words = f"{what} made by libvirt for {ids['ifname']} of {whose}; nothing references it"
    owner = Owner.LIBVIRT if GENERATED.match(ids["ifname"]) else Owner.LIBVIRT_NAMED
    return finding(ORPHAN, uuid, words, identity=(uuid,), remedy=remedy, owner=owner)
