"""The active part of `check --full`: probe every network's renewals, and add the reports to what was seen."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

from hostagent.act.dhcp.probing import keep, merged, probe_all
from hostagent.decide.dhcp import judge, targets
from hostagent.model.host import Unavailable
from hostagent.sources.dhcp.probes import read_probes

if TYPE_CHECKING:
    from hostagent.config import Settings
    from hostagent.model.host import Snapshot


def with_probes(snapshot: Snapshot, settings: Settings, *, until: float) -> Snapshot:
    """The same look, with what a unicast probe of each network says; ``until`` is monotonic. Needs root."""
    dhcp = snapshot.dhcp
    if isinstance(dhcp, Unavailable) or os.geteuid() != 0:
        return snapshot
    wanted = targets(dhcp, snapshot.ovs, snapshot.links)
    findings = judge(dhcp, snapshot.domains, snapshot.taken_at).findings
    suspects = frozenset(each.object for each in findings)
    new = probe_all(wanted, settings, known=dhcp.probes, until=until, suspects=suspects)
    if not new:
        return snapshot
    probes = merged(read_probes(settings.paths.run_dir), new)  # others may have probed meanwhile
    keep(probes, settings)
    return replace(snapshot, dhcp=replace(dhcp, probes=probes))
