"""How each network is, layer by layer, as the agent publishes it."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING

from hostagent.decide.dhcp.findings import MISSING, OVERDUE, STALE, STUCK, UNBOUND
from hostagent.decide.dhcp.leases import overdue
from hostagent.decide.dhcp.probes import last_reports
from hostagent.model.dhcp import Outcome
from hostagent.model.host import Unavailable
from hostagent.model.published import DhcpNetwork, DhcpVerdict

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hostagent.decide.dhcp.judge import Judgement
    from hostagent.decide.dhcp.networks import Network
    from hostagent.model.dhcp import Dhcp
    from hostagent.model.guests import Domains

_SOCKET_CODES = (UNBOUND, STALE, STUCK, MISSING)
_PROBE_STATES = {Outcome.OK: "ok", Outcome.SKIPPED: "skip", Outcome.NO_OFFER: "warn"}  # the rest: crit


def states(
    dhcp: Dhcp, judged: Judgement, domains: Domains | Unavailable, now: float
) -> tuple[DhcpNetwork, ...]:
    """Every network that is served or should be; ``now`` is in seconds since the epoch."""
    late = None if isinstance(domains, Unavailable) else overdue(dhcp, judged.networks, domains, now)
    found = [
        DhcpNetwork(
            network=each.name,
            server=each.address,
            verdicts=tuple(_verdicts(dhcp, judged, each, leases=late is not None)),
            overdue=None if late is None else len(late.get(each.id, ())),
        )
        for each in judged.networks
    ]
    served = {each.id for each in judged.networks}
    for finding in judged.of(MISSING):
        if finding.object not in served:
            network, _, server = finding.object.rpartition("/")
            verdict = DhcpVerdict(layer="socket", state=finding.severity.value)
            found.append(DhcpNetwork(network=network, server=server, verdicts=(verdict,)))
    return tuple(found)


def _verdicts(dhcp: Dhcp, judged: Judgement, network: Network, *, leases: bool) -> Iterator[DhcpVerdict]:
    yield DhcpVerdict(layer="socket", state=_worst(judged, network, _SOCKET_CODES))
    if leases:
        yield DhcpVerdict(layer="lease", state=_worst(judged, network, (OVERDUE,)))
    skipped = {
        each.layer: each
        for each in dhcp.probes
        if (each.network, each.server) == (network.name, network.address)
        and each.outcome is Outcome.SKIPPED
        and each.server_pid in {None, network.server.pid}
    }
    for layer, report in (skipped | last_reports(dhcp.probes, network)).items():
        yield DhcpVerdict(
            layer=layer.value,
            state=_PROBE_STATES.get(report.outcome, "crit"),
            at=report.at,
            latency_seconds=median(report.latencies) if report.latencies else None,
        )


def _worst(judged: Judgement, network: Network, codes: tuple[str, ...]) -> str:
    found = {
        each.severity.value for each in judged.findings if each.object == network.id and each.code in codes
    }
    return next((state for state in ("crit", "warn") if state in found), "ok")
