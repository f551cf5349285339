"""What is wrong with DHCP on one network, as checks and commands say it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hostagent.decide.dhcp.networks import Network
    from hostagent.model.plan import Severity

UNBOUND, STALE = "DHCP_SOCKET_UNBOUND", "DHCP_SOCKET_STALE"
MISSING, STUCK = "DHCP_SERVER_MISSING", "DHCP_SERVER_STUCK"
DEAD, SPLIT = "DHCP_RENEWAL_DEAD", "DHCP_RENEWAL_SPLIT"
REPLY_PATH, LOST, OVERDUE = "DHCP_REPLY_PATH_BROKEN", "DHCP_LEASES_LOST", "DHCP_LEASE_OVERDUE"
CODES = (DEAD, SPLIT, UNBOUND, STALE, LOST, OVERDUE, REPLY_PATH, MISSING, STUCK)


@dataclass(frozen=True, slots=True, kw_only=True)
class DhcpFinding:
    """One fault of one network. ``object`` is "NETWORK/SERVER"; ``detail`` says what to change."""

    code: str
    object: str
    severity: Severity
    detail: str


def found(code: str, network: Network, severity: Severity, detail: str) -> DhcpFinding:
    """A finding of a network that is served."""
    return DhcpFinding(code=code, object=network.id, severity=severity, detail=detail)


def process(pid: int) -> str:
    """A server as an operator can find it."""
    return f"dnsmasq (process {pid})"
