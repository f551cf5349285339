"""What the probes of one network mean together.

A unicast probe tells that renewals are lost, a renewal with a broadcast after it where: on the way back
too, or on the way to the server only. So the renewal, where there is one as new, says what it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hostagent.decide.dhcp.findings import DEAD, LOST, MISSING, REPLY_PATH, SPLIT, STUCK, DhcpFinding, found
from hostagent.model.dhcp import Layer, Outcome
from hostagent.model.plan import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from hostagent.decide.dhcp.networks import Network
    from hostagent.model.dhcp import Dhcp, ProbeReport

PROBED_CODES = (DEAD, SPLIT, REPLY_PATH, LOST)
_SAME_TIME_SECONDS = 900.0
_WORDS = {
    DEAD: "no renewal reaches its server ({counts}){cause}",
    SPLIT: "only a part of the renewals reaches its server ({counts}){cause}",
    REPLY_PATH: (
        "it gives leases, and answers neither the renewal nor the broadcast after it: see the firewall and "
        "rp_filter on the way back (ip route get GUEST; nft list ruleset)"
    ),
    LOST: (
        "its server refuses leases that it gave (NAK): its lease file was lost; add --dhcp-authoritative, so "
        "that guests keep their addresses"
    ),
    STUCK: "it answers no probe, and its receive queue is not empty: the server hangs; restart it",
    MISSING: "it offers no lease: the server is down, its pool is empty, or its policy refuses the probe",
}
_CODES = {
    Outcome.SPLIT: SPLIT,
    Outcome.DEAD: DEAD,
    Outcome.NAK: LOST,
    Outcome.NO_OFFER: MISSING,
    Outcome.REBIND_ONLY: DEAD,
    Outcome.REPLY_PATH: REPLY_PATH,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Probed:
    """What probes found, and for how many networks each code could be judged."""

    findings: tuple[DhcpFinding, ...]
    judged: dict[str, int]


def judge_probes(dhcp: Dhcp, served: Sequence[Network], suspects: frozenset[str]) -> Probed:
    """Combine the last report of each layer; ``suspects`` are the objects whose sockets explain a loss."""
    findings: list[DhcpFinding] = []
    judged = dict.fromkeys(PROBED_CODES, 0)
    for network in served:
        last = last_reports(dhcp.probes, network)
        findings += _findings(dhcp, network, last, suspects)
        for code in _known(last):
            judged[code] += 1
    return Probed(findings=tuple(findings), judged=judged)


def last_reports(reports: Sequence[ProbeReport], network: Network) -> dict[Layer, ProbeReport]:
    """The newest report of each layer that this very server process gave cause to."""
    last: dict[Layer, ProbeReport] = {}
    for each in sorted(reports, key=lambda each: each.at):
        same = (each.network, each.server) == (network.name, network.address)
        asked = each.outcome is not Outcome.SKIPPED and each.server_pid in {None, network.server.pid}
        if same and asked:
            last[each.layer] = each
    return last


def _findings(
    dhcp: Dhcp, network: Network, last: dict[Layer, ProbeReport], suspects: frozenset[str]
) -> Iterator[DhcpFinding]:
    codes: dict[str, ProbeReport] = {}
    for report in _telling(last):
        if report.outcome is not Outcome.OK:
            codes.setdefault(_CODES[report.outcome], report)
    if SPLIT in codes:
        codes.pop(DEAD, None)
    silent = codes.keys() & {DEAD, REPLY_PATH}
    if silent and _waiting(dhcp, network):
        report = codes[min(silent)]
        codes = {code: each for code, each in codes.items() if code not in silent} | {STUCK: report}
    for code, report in codes.items():
        counts = f"{report.answered} of {report.asked} answered"
        cause = (
            ", see its sockets: DHCP_SOCKET_*"
            if network.id in suspects
            else ", its socket looks right by now: hostagent dhcp probe asks again; a firewall?"
        )
        severity = Severity.WARN if code == MISSING else Severity.CRIT
        yield found(code, network, severity, _WORDS[code].format(counts=counts, cause=cause))


def _telling(last: dict[Layer, ProbeReport]) -> Iterator[ProbeReport]:
    """The reports that count.

    An older renewal is of no use once a unicast probe says otherwise, and a unicast probe of none where a
    renewal of about the same time explains it.
    """
    unicast, renew = last.get(Layer.UNICAST), last.get(Layer.RENEW)
    if renew is not None and unicast is not None:
        agree = (renew.outcome is Outcome.OK) is (unicast.outcome is Outcome.OK)
        agree = agree or renew.outcome is Outcome.NAK  # which a unicast probe can't see
        recent = renew.at >= unicast.at - _SAME_TIME_SECONDS
        if renew.at < unicast.at and not (agree and recent):
            renew = None
        elif unicast.outcome is not Outcome.SPLIT:
            unicast = None
    for each in (renew, unicast, last.get(Layer.PASSIVE)):
        if each is not None:
            yield each


def _known(last: dict[Layer, ProbeReport]) -> Iterator[str]:
    """The codes that the reports say something of."""
    if last:
        yield DEAD
    if Layer.UNICAST in last or Layer.PASSIVE in last:
        yield SPLIT
    if Layer.RENEW in last or any(each.outcome is Outcome.OK for each in last.values()):
        yield REPLY_PATH
    if Layer.RENEW in last or Layer.PASSIVE in last:
        yield LOST


def _waiting(dhcp: Dhcp, network: Network) -> bool:
    namespace = dhcp.namespace(network.namespace)
    sockets = () if namespace is None else namespace.sockets
    return network.server.stopped or any(each.queue and network.server.pid in each.pids for each in sockets)
