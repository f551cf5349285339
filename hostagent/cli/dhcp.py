"""hostagent dhcp: the networks that are served here, and whether renewals work on one of them."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from hostagent.act.dhcp.probe import probe_renew, probe_unicast
from hostagent.act.dhcp.probing import keep, merged, probe_one
from hostagent.cli.dhcp_text import probe_text, status_text
from hostagent.cli.looking import bounded
from hostagent.cli.params import json_option, timeout_option
from hostagent.cli.session import EXIT_CRIT, EXIT_OK, EXIT_UNKNOWN, Session
from hostagent.cli.words import put, put_json
from hostagent.decide.dhcp import judge, targets
from hostagent.errors import SourceError
from hostagent.model.dhcp import Layer, Outcome
from hostagent.model.host import Trouble, Unavailable
from hostagent.model.plain import plain
from hostagent.sources.dhcp.probes import read_probes
from hostagent.sources.gather import Gatherer

if TYPE_CHECKING:
    from hostagent.config import Settings
    from hostagent.decide.dhcp import Judgement
    from hostagent.model.dhcp import Dhcp, ProbeReport, ProbeTarget
    from hostagent.model.host import Snapshot


@click.group(invoke_without_command=True)
@click.pass_context
def dhcp(context: click.Context) -> int:
    """DHCP servers of this node; without a command, their status."""
    return int(context.invoke(status)) if context.invoked_subcommand is None else EXIT_OK


@dhcp.command
@timeout_option
@json_option
@click.pass_obj
def status(session: Session, *, timeout: float | None = None, as_json: bool = False) -> int:
    """List networks, servers and sockets, and what the last probes said; exit 3 if something was not read."""
    snapshot = _look(session, session.settings(), timeout)
    seen = snapshot.dhcp
    if isinstance(seen, Unavailable):
        if seen.trouble is not Trouble.ABSENT:
            raise SourceError(seen.reason)
        put_json(_document((), ())) if as_json else put(f"{seen.reason}\n")
        return EXIT_OK
    judged = judge(seen, snapshot.domains, snapshot.taken_at)
    if as_json:
        put_json(_document(_networks(seen, judged), [plain(each) for each in judged.findings]))
    else:
        put(status_text(seen, judged, now=snapshot.taken_at))
    unread = [*seen.unread, *(each.unread for each in seen.namespaces if each.unread)]
    for reason in unread:
        session.fail(reason)
    return EXIT_UNKNOWN if unread else EXIT_OK


@dhcp.command
@click.argument("network")
@click.option("--renew", is_flag=True, help="Take a lease, renew it and give it back: up to 20 s.")
@timeout_option
@json_option
@click.pass_obj
def probe(session: Session, *, network: str, renew: bool, timeout: float | None, as_json: bool) -> int:
    """Try a renewal on NETWORK and show the packets: exit 0 ok, 2 broken, 3 could not be tried.

    Without --renew no lease is taken: the server is asked as a client that renews asks it.
    """
    settings = session.settings()
    snapshot = _look(session, settings, timeout)
    seen = snapshot.dhcp
    if isinstance(seen, Unavailable):
        raise SourceError(seen.reason)
    chosen = _chosen(targets(seen, snapshot.ovs, snapshot.links), network)
    layer, function = (Layer.RENEW, probe_renew) if renew else (Layer.UNICAST, probe_unicast)
    reports = [probe_one(each, settings, layer, function) for each in chosen]
    probes = merged(read_probes(settings.paths.run_dir), reports)  # others may have probed meanwhile
    keep(probes, settings)
    judged = judge(replace(seen, probes=probes), snapshot.domains, time.time())
    findings = [each for each in judged.findings if each.object in _ids(chosen)]
    if as_json:
        put_json(
            {
                "schema": "hostagent.dhcp-probe/v1",
                "reports": [plain(each) for each in reports],
                "findings": [plain(each) for each in findings],
            }
        )
    else:
        put(probe_text(reports, findings))
    return _exit(reports)


def _look(session: Session, settings: Settings, timeout: float | None) -> Snapshot:
    timeout = timeout or settings.looks.timeout_seconds
    with bounded(session, timeout):
        # Less than the whole: a look at a host whose libvirt hangs still has to be printed.
        return Gatherer(settings).look(timeout_seconds=round(max(0.1, timeout * 0.6), 1))


def _chosen(known: tuple[ProbeTarget, ...], name: str) -> list[ProbeTarget]:
    chosen = [each for each in known if name in {each.network, f"{each.network}/{each.server}"}]
    if not chosen:
        raise SourceError(
            f"no network that is served here is called {name} (hostagent dhcp status lists them)"
        )
    return chosen


def _ids(chosen: list[ProbeTarget]) -> set[str]:
    return {f"{each.network}/{each.server}" for each in chosen}


def _exit(reports: list[ProbeReport]) -> int:
    outcomes = {each.outcome for each in reports}
    if outcomes - {Outcome.OK, Outcome.SKIPPED}:
        return EXIT_CRIT
    return EXIT_UNKNOWN if Outcome.SKIPPED in outcomes else EXIT_OK


def _networks(seen: Dhcp, judged: Judgement) -> list[dict[str, Any]]:
    return [
        {
            "network": each.name,
            "server": each.address,
            "prefix": each.prefix,
            "link": each.link.name,
            "namespace": each.namespace,
            "keeper": str(each.server.keeper),
            "pid": each.server.pid,
            "leases": len([one for one in seen.leases if one.pid == each.server.pid]),
            "probes": [
                plain(one) for one in seen.probes if (one.network, one.server) == (each.name, each.address)
            ],
        }
        for each in judged.networks
    ]


def _document(networks: object, findings: object) -> dict[str, Any]:
    return {"schema": "hostagent.dhcp/v1", "networks": networks, "findings": findings}
