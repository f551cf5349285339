"""Probes of many networks, one after another, and the file in which their reports are kept."""

from __future__ import annotations

import json
import logging
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from hostagent.act import places
from hostagent.act.dhcp.probe import probe_unicast
from hostagent.errors import HostagentError
from hostagent.model.dhcp import PROBES_FILE, Layer, Outcome, ProbeReport
from hostagent.model.plain import plain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from hostagent.config import Settings
    from hostagent.model.dhcp import ProbeTarget

_LOG = logging.getLogger(__name__)
_FRESH_SECONDS = 600.0  # a network that answered is left alone for so long
_LEAST_SECONDS = 7.0  # what a probe of a silent network takes, 4 of them until a bridge with STP forwards


def probe_all(
    targets: Iterable[ProbeTarget],
    settings: Settings,
    *,
    known: Sequence[ProbeReport],
    until: float,
    suspects: frozenset[str] = frozenset(),
) -> list[ProbeReport]:
    """One unicast probe of each network, as far as the time goes (``until``, monotonic).

    A network that answered in the last 10 minutes is not asked again, unless it is among ``suspects``
    ("NETWORK/SERVER"); one that is only to be watched never is.
    """
    fresh = {
        (each.network, each.server, each.server_pid)
        for each in known
        if each.layer is Layer.UNICAST
        and each.outcome is Outcome.OK
        and time.time() - each.at < _FRESH_SECONDS
    }
    reports = []
    for target in targets:
        asked = (target.network, target.server, target.server_pid) in fresh
        if asked and f"{target.network}/{target.server}" not in suspects:
            continue
        if reason := _unwanted(target, settings, until):
            reports.append(_skipped(target, Layer.UNICAST, reason))
        else:
            reports.append(probe_one(target, settings, Layer.UNICAST, probe_unicast))
    return reports


def probe_one(
    target: ProbeTarget,
    settings: Settings,
    layer: Layer,
    probe: Callable[[ProbeTarget, Settings], ProbeReport],
) -> ProbeReport:
    """One probe; what kept it from being made is a report as well."""
    try:
        report = probe(target, settings)
    except HostagentError as error:
        return _skipped(target, layer, str(error))
    return replace(report, server_pid=target.server_pid)


def merged(known: Iterable[ProbeReport], new: Iterable[ProbeReport]) -> tuple[ProbeReport, ...]:
    """The newest report of each network, server and layer; one that was skipped takes no other's place."""
    newest: dict[tuple[str, str, Layer], ProbeReport] = {}
    for each in sorted((*known, *new), key=lambda each: each.at):
        place = (each.network, each.server, each.layer)
        before = newest.get(place)
        kept = before is not None and before.outcome is not Outcome.SKIPPED
        if each.outcome is not Outcome.SKIPPED or not kept:
            newest[place] = each
    return tuple(newest.values())


def keep(reports: Sequence[ProbeReport], settings: Settings) -> None:
    """Leave the reports for the next look; a file that can't be written is no reason to fail."""
    path = Path(settings.paths.run_dir, PROBES_FILE)
    try:
        path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        text = json.dumps([plain(each) for each in reports])
        places.replace(path, text, mode=0o600, durable=False)
    except OSError as error:
        _LOG.warning("%s can't be written: %s", path, error.strerror)


def _unwanted(target: ProbeTarget, settings: Settings, until: float) -> str:
    if not settings.dhcp.probe:
        return "probes are switched off (dhcp.probe in the configuration)"
    if target.network in settings.dhcp.passive:
        return f"{target.network} is only to be watched (dhcp.passive in the configuration)"
    if time.monotonic() + _LEAST_SECONDS > until:
        return "no time was left to probe it (--timeout gives it longer)"
    return ""


def _skipped(target: ProbeTarget, layer: Layer, reason: str) -> ProbeReport:
    return ProbeReport(
        network=target.network,
        server=target.server,
        layer=layer,
        at=time.time(),
        outcome=Outcome.SKIPPED,
        detail=reason,
        server_pid=target.server_pid,
    )
