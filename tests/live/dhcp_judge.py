"""One run of a row: what the probes say, what the guests saw, and what the watcher made of it."""

from __future__ import annotations

import time
from random import Random
from typing import TYPE_CHECKING

from hostagent.act.dhcp.passive import Watcher
from hostagent.act.dhcp.probe import probe_renew, probe_unicast
from hostagent.model.dhcp import Outcome
from tests.live.dhcp_rig import NETWORKS, Rig

if TYPE_CHECKING:
    from hostagent.config import Settings
    from tests.live.dhcp_rows import Row


def faults(rig: Rig, row: Row, seed: int, settings: Settings, *, renew: bool) -> list[str]:
    """Make the row anew; every verdict that is not the truth."""
    random = Random(seed)
    rig.reset()
    row.serve(rig, random)
    wanted = sum(len(guests) for guests in rig.guests.values())
    if (leased := rig.lease_all()) != wanted:
        return [f"{row.name}, seed {seed}: only {leased} guests of {wanted} have a lease"]
    row.harm(rig, random)
    watchers = {network: Watcher(rig.target(network)) for network in NETWORKS}
    for watcher in watchers.values():
        watcher.start()
    seen = {network: _truth(answers) for network, answers in rig.renew_all().items()}
    time.sleep(0.3)  # the watcher reads ten times a second
    wrong = []
    for network, watcher in watchers.items():
        watcher.stop()
        report = watcher.report()
        # A guest that gets no answer to its ARP request sends nothing that could be watched.
        nothing = seen[network] is Outcome.DEAD and watcher.counts().seen == 0
        if report.outcome is not (Outcome.SKIPPED if nothing else seen[network]):
            wrong.append(f"passive: {report.outcome} ({report.detail}), the guests saw {seen[network]}")
    for place, network in enumerate(NETWORKS):
        target = rig.target(network, ignores_unknown=row.unknown_ignored)
        report = probe_unicast(target, settings)
        if report.outcome not in row.unicast[place]:
            wrong.append(
                f"unicast of {network}: {report.outcome} ({report.detail})\n{_lines(report.timeline)}"
            )
        if renew and (report := probe_renew(target, settings)).outcome not in row.renew[place]:
            wrong.append(f"renew of {network}: {report.outcome} ({report.detail})\n{_lines(report.timeline)}")
    return [f"{row.name}, seed {seed}: {each}" for each in wrong]


def _truth(answers: list[tuple[str, str]]) -> Outcome:
    renewed = [each for each, _ in answers]
    if "nak" in renewed:
        return Outcome.NAK
    if all(renewed):
        return Outcome.OK
    return Outcome.SPLIT if any(renewed) else Outcome.DEAD


def _lines(timeline: tuple[str, ...]) -> str:
    return "\n".join(timeline)
