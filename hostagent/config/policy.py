"""What the agent does by itself about each code of drift, by the owner of the row."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from hostagent.config.key import key


class Action(StrEnum):
    """What becomes of a finding that has a remedy."""

    REPAIR = "repair"
    REPORT = "report"


@dataclass(frozen=True, slots=True, kw_only=True)
class CodePolicy:
    """One code's policy. The owners are DRIFT's; rows of any other owner are never touched."""

    libvirt: Action = key(
        Action.REPAIR, '"repair" or "report" rows of taps that libvirt named (vnetN): its XML is the truth'
    )
    libvirt_named: Action = key(
        Action.REPORT, '"repair" or "report" rows of taps with a given name (nova of old, by hand)'
    )
    os_vif: Action = key(
        Action.REPORT, '"repair" or "report" rows that os-vif plugged for nova (never their VLAN or QoS)'
    )
    grace_seconds: float = key(
        2.0, "every look for so long must show it before the agent repairs or reports it", least=0, most=3600
    )


def _code() -> CodePolicy:
    return field(default_factory=CodePolicy)


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """One table for each code that the agent can repair; what is made on request only is not among them."""

    OVS_PORT_STALE: CodePolicy = _code()
    OVS_PORT_DEAD_RX: CodePolicy = _code()
    OVS_PORT_UNATTACHED: CodePolicy = _code()
    OVS_PORT_ERROR: CodePolicy = _code()
    OVS_PORT_MISSING: CodePolicy = _code()
    OVS_PORT_WRONG_BRIDGE: CodePolicy = _code()
    OVS_PORT_INHERITED: CodePolicy = _code()
    OVS_IFACE_ID_DUPLICATE: CodePolicy = _code()
    OVS_QOS_ORPHAN: CodePolicy = _code()
    OVS_TAP_DOWN: CodePolicy = _code()

    def of(self, code: str) -> CodePolicy | None:
        """The policy for ``code``; None for one that is only ever reported."""
        found: CodePolicy | None = getattr(self, code, None) if code in self.__slots__ else None
        return found
