"""The codes of drift: how bad each is, what must have been read to judge it, and if one look is enough."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hostagent.model.plan import Severity

if TYPE_CHECKING:
    from collections.abc import Mapping

CORE = ("ovs", "links", "domains")


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeInfo:
    """``sections`` are the Snapshot's; ``grace``: normal for a moment while guests come and go."""

    severity: Severity
    sections: tuple[str, ...] = CORE
    grace: bool = True


CODES: Mapping[str, CodeInfo] = {
    "OVS_PORT_STALE": CodeInfo(severity=Severity.CRIT),
    "OVS_PORT_DORMANT": CodeInfo(severity=Severity.OK, grace=False),
    "OVS_PORT_DEAD_RX": CodeInfo(severity=Severity.CRIT, sections=(*CORE, "packet_sockets")),
    "OVS_PORT_UNATTACHED": CodeInfo(severity=Severity.CRIT, sections=(*CORE, "vswitchd")),
    "OVS_PORT_ERROR": CodeInfo(severity=Severity.CRIT, sections=(*CORE, "vswitchd")),
    "OVS_PORT_MISSING": CodeInfo(severity=Severity.CRIT),
    "OVS_PORT_WRONG_BRIDGE": CodeInfo(severity=Severity.CRIT),
    "OVS_PORT_INHERITED": CodeInfo(severity=Severity.CRIT),
    "OVS_IFACE_ID_DUPLICATE": CodeInfo(severity=Severity.WARN),
    "OVS_QOS_ORPHAN": CodeInfo(severity=Severity.WARN, sections=("ovs", "domains")),
    "OVS_TAP_ORPHAN": CodeInfo(severity=Severity.WARN, sections=(*CORE, "tap_holders")),
    "OVS_TAP_DOWN": CodeInfo(severity=Severity.WARN),
    "OVS_PORT_FOREIGN_ERROR": CodeInfo(severity=Severity.WARN, sections=(*CORE, "vswitchd")),
    "OVS_FLOW_ORPHAN": CodeInfo(severity=Severity.WARN, sections=("ovs", "flows")),
    "OVS_BRIDGE_MISSING": CodeInfo(severity=Severity.CRIT),
    "OVN_PORT_NOT_INSTALLED": CodeInfo(severity=Severity.WARN),
    "NEUTRON_PORT_DEAD_VLAN": CodeInfo(severity=Severity.WARN),
    "OVS_VHOST_DISCONNECTED": CodeInfo(severity=Severity.WARN, sections=("ovs", "domains")),
    "OVS_TRANSIENT_TRAP": CodeInfo(severity=Severity.WARN, sections=("ovs", "ovs_ctl_options"), grace=False),
}
