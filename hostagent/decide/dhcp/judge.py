"""All layers together: what is wrong, and of which codes nothing can be said."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hostagent.decide.dhcp.findings import (
    CODES,
    DEAD,
    MISSING,
    OVERDUE,
    SPLIT,
    STALE,
    STUCK,
    UNBOUND,
    DhcpFinding,
)
from hostagent.decide.dhcp.leases import judge_leases
from hostagent.decide.dhcp.missing import judge_missing
from hostagent.decide.dhcp.networks import Network, networks
from hostagent.decide.dhcp.probes import PROBED_CODES, judge_probes
from hostagent.decide.dhcp.sockets import judge_sockets
from hostagent.model.dhcp import Outcome
from hostagent.model.host import Trouble, Unavailable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from hostagent.model.dhcp import Dhcp
    from hostagent.model.guests import Domains

__all__ = ["CODES", "DhcpFinding", "Judgement", "judge"]

_NOT_PROBED = "not probed: hostagent check --live --full, or hostagent dhcp probe NETWORK"
_NOT_RENEWED = "not probed: hostagent dhcp probe NETWORK --renew"
_NOTHING = "no network is served here"


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """``skipped`` and ``unknown`` are codes with the reason why nothing, or not all, can be said of them."""

    networks: tuple[Network, ...]
    findings: tuple[DhcpFinding, ...] = ()
    skipped: Mapping[str, str] = field(default_factory=dict)
    unknown: Mapping[str, str] = field(default_factory=dict)

    def of(self, code: str) -> tuple[DhcpFinding, ...]:
        """The findings of one code, each object once."""
        return tuple({each.object: each for each in reversed(self.findings) if each.code == code}.values())[
            ::-1
        ]


def judge(dhcp: Dhcp, domains: Domains | Unavailable, now: float) -> Judgement:
    """Judge every network; ``now`` is in seconds since the epoch."""
    served = networks(dhcp)
    findings = [*judge_sockets(dhcp, served), *judge_missing(dhcp)]
    suspects = frozenset(each.object for each in findings if each.code in {UNBOUND, STALE})
    probed = judge_probes(dhcp, served, suspects)
    findings += probed.findings
    skipped: dict[str, str] = {}
    unknown = dict(_unread(dhcp))
    if isinstance(domains, Unavailable):
        absent = domains.trouble in {Trouble.ABSENT, Trouble.NOT_ASKED}
        (skipped if absent else unknown)[OVERDUE] = domains.reason
    else:
        findings += judge_leases(dhcp, served, domains, now)
    skipped |= _not_probed(probed.judged, dhcp)
    if not served:
        skipped |= {code: _NOTHING for code in CODES if code != MISSING or not dhcp.expected}
    return Judgement(networks=served, findings=tuple(findings), skipped=skipped, unknown=unknown)


def _unread(dhcp: Dhcp) -> Iterator[tuple[str, str]]:
    """Codes that depend on something that could not be read."""
    namespaces = [each.unread for each in dhcp.namespaces if each.unread]
    for code in (UNBOUND, STALE, STUCK, MISSING):
        if namespaces:
            yield code, _joined(namespaces)
    configurations = [f"process {each.pid}: {each.unread}" for each in dhcp.servers if each.unread]
    if configurations:
        yield OVERDUE, _joined(configurations)
    leases = [each for each in dhcp.unread if each.startswith("leases")]
    if leases:
        yield OVERDUE, _joined(leases)
    others = [each for each in dhcp.unread if not each.startswith("leases")]
    if others and not namespaces:
        yield MISSING, _joined(others)


def _not_probed(judged: Mapping[str, int], dhcp: Dhcp) -> dict[str, str]:
    """Why codes that only a probe can judge were not judged."""
    tried = [f"{each.network}: {each.detail}" for each in dhcp.probes if each.outcome is Outcome.SKIPPED]
    reasons = {}
    for code in PROBED_CODES:
        if not judged[code]:
            wants = _NOT_PROBED if code in {DEAD, SPLIT} else _NOT_RENEWED
            reasons[code] = _joined(tried) if tried else wants
    return reasons


def _joined(reasons: Sequence[str]) -> str:
    more = f" (and {len(reasons) - 1} more)" if len(reasons) > 1 else ""
    return f"{reasons[0]}{more}"
