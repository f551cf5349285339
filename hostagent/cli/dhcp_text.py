"""DHCP for a person: networks with their sockets as a table, and a probe's packets as a timeline."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hostagent.cli.words import paint, printable, table
from hostagent.decide.dhcp.leases import left
from hostagent.model.dhcp import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from hostagent.decide.dhcp import DhcpFinding, Judgement, Network
    from hostagent.model.dhcp import Dhcp, ProbeReport

_HEADER = (
    "NETWORK",
    "SERVER",
    "KEEPER",
    "PROCESS",
    "LINK",
    "SOCKET",
    "QUEUE",
    "LEASES",
    "LEAST LEFT",
    "PROBED",
)
_COLORS = {Outcome.OK: "ok", Outcome.SKIPPED: "skip"}


def status_text(seen: Dhcp, judged: Judgement, *, now: float) -> str:
    """All networks, then what is wrong; ``now`` is in seconds since the epoch."""
    lines = table([_HEADER, *(_row(seen, each, now) for each in judged.networks)])
    if not judged.networks:
        lines = ["no network is served here"]
    codes = dict.fromkeys(each.code for each in judged.findings)
    findings = [each for code in codes for each in judged.of(code)]
    lines += _skipped(seen)
    return "".join(f"{line}\n" for line in (*lines, *_findings(findings)))


def probe_text(reports: Iterable[ProbeReport], findings: Sequence[DhcpFinding]) -> str:
    """Each probe with its packets, and what follows from it."""
    lines: list[str] = []
    for each in reports:
        lines += [printable(words) for words in each.timeline]
        counts = f", {each.answered} of {each.asked} answered" if each.asked else ""
        times = (
            f" in {min(each.latencies) * 1000:.1f} to {max(each.latencies) * 1000:.1f} ms"
            if each.latencies
            else ""
        )
        label = paint(each.outcome.replace("_", " "), _COLORS.get(each.outcome, "crit"))
        detail = f": {each.detail}" if each.detail else ""
        lines.append(
            printable(f"{each.network}/{each.server} {each.layer} ")
            + label
            + printable(counts + times + detail)
        )
    return "".join(f"{line}\n" for line in (*lines, *_findings(findings)))


def _skipped(seen: Dhcp) -> Iterator[str]:
    for each in seen.probes:
        if each.outcome is Outcome.SKIPPED:
            yield printable(f"not probed: {each.network}/{each.server}: {each.detail}")


def _findings(findings: Sequence[DhcpFinding]) -> Iterator[str]:
    if findings:
        yield ""
    for each in findings:
        label = paint(each.severity.upper(), each.severity)
        yield f"{label}  {each.code}  {printable(f'{each.object}: {each.detail}')}"


def _row(seen: Dhcp, network: Network, now: float) -> tuple[str, ...]:
    socket, queue = _socket(seen, network)
    leases = [each for each in seen.leases if each.pid == network.server.pid]
    shares = [share for each in leases if (share := left(each, network, now)) is not None]
    return (
        network.name,
        network.address,
        str(network.server.keeper),
        str(network.server.pid),
        network.link.name,
        socket,
        queue,
        str(len(leases)),
        f"{max(0.0, min(shares)):.0%}" if shares else "-",
        _probed(seen, network, now),
    )


def _socket(seen: Dhcp, network: Network) -> tuple[str, str]:
    namespace = seen.namespace(network.namespace)
    if namespace is None or namespace.unread:
        return "?", "?"
    own = next((each for each in namespace.sockets if network.server.pid in each.pids), None)
    if own is None:
        return "none", "-"
    links = {each.ifindex: each.name for each in namespace.links}
    return "unbound" if not own.ifindex else links.get(own.ifindex, f"gone ({own.ifindex})"), str(own.queue)


def _probed(seen: Dhcp, network: Network, now: float) -> str:
    own = [each for each in seen.probes if (each.network, each.server) == (network.name, network.address)]
    if not own:
        return "-"
    last = max(own, key=lambda each: each.at)
    return f"{last.layer} {last.outcome.replace('_', ' ')} {max(0.0, now - last.at):.0f} s ago"
