"""The agent's own record of rows: whose columns a row had, so that it can tell what a guest has inherited.

libvirt's XML may be silent about VLANs that somebody set on purpose, so clearing a column needs a positive
witness. This is one of them: the same row (UUIDs survive a power cut in OVSDB's file, and are never given
twice) was seen with the same column under another domain, without fault.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from hostagent.model.plan import Finding, Owner, Remedy, Value

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hostagent.decide.drift.world import World
    from hostagent.model.plan import Drift
    from hostagent.model.ports import Ovs, OvsPort

INHERITED = "OVS_PORT_INHERITED"


@dataclass(frozen=True, slots=True, kw_only=True)
class RowRecord:
    """A port's row as it was right for ``domain`` (a UUID): the columns that are handed down."""

    name: str
    domain: str
    tag: int | None = None
    trunks: tuple[int, ...] = ()
    vlan_mode: str | None = None
    qos: str | None = None
    ingress_policing_rate: int = 0
    ingress_policing_burst: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """Rows by their UUIDs. ``schema`` is that of the file."""

    schema: str = "hostagent.rows/v1"
    rows: dict[str, RowRecord] = field(default_factory=dict)


def remember(record: Record, world: World, drift: Drift) -> Record:
    """The record after a look: rows that are right are noted, those of the past kept while they exist.

    ``drift`` is all that the look shows, believed or not: a row with any fault keeps what was noted before.
    """
    suspicious = {finding.name for finding in drift.findings if finding.owner is not Owner.OTHER}
    rows: dict[str, RowRecord] = {}
    for name, port in world.ovs.ports.items():
        claim = world.claims.get(name)
        ours = world.owners[name].owner in {Owner.LIBVIRT, Owner.LIBVIRT_NAMED}
        if ours and claim is not None and name not in suspicious:
            rows[port.uuid] = _noted(port, claim.domain.uuid)
        elif port.uuid in record.rows:
            rows[port.uuid] = record.rows[port.uuid]
    return record if rows == record.rows else replace(record, rows=rows)


def with_witness(finding: Finding, record: Record, ovs: Ovs) -> Finding:
    """The finding, with its remedy called witnessed where the record shows whose the columns were."""
    remedy, port = finding.remedy, ovs.ports.get(finding.name)
    if finding.code != INHERITED or remedy is None or remedy.witnessed or port is None:
        return finding
    noted = record.rows.get(port.uuid)
    if noted is None or noted.domain == finding.domain or not _were_its(remedy, noted):
        return finding
    return replace(finding, remedy=replace(remedy, witnessed=True))


def _were_its(remedy: Remedy, noted: RowRecord) -> bool:
    """Whether every column to be changed still has the value that it had for the other domain."""
    columns: Mapping[str, Value] = {
        "Port.tag": noted.tag,
        "Port.trunks": noted.trunks,
        "Port.vlan_mode": noted.vlan_mode,
        "Port.qos": noted.qos,
        "Interface.ingress_policing_rate": noted.ingress_policing_rate,
        "Interface.ingress_policing_burst": noted.ingress_policing_burst,
    }
    changed = [each for each in remedy.changes if each.path in columns]
    return bool(changed) and all((each.old or None) == (columns[each.path] or None) for each in changed)


def _noted(port: OvsPort, domain: str) -> RowRecord:
    row = port.interfaces[0]
    return RowRecord(
        name=port.name,
        domain=domain,
        tag=port.tag,
        trunks=port.trunks,
        vlan_mode=port.vlan_mode,
        qos=port.qos,
        ingress_policing_rate=row.ingress_policing_rate,
        ingress_policing_burst=row.ingress_policing_burst,
    )
