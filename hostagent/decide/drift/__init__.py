"""Drift: what is wrong between guests, taps, rows and vswitchd. Pure: one Snapshot in, findings out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hostagent.decide.drift import absent, attachment, qos, rest, wiring
from hostagent.decide.drift.codes import CODES
from hostagent.decide.drift.world import join
from hostagent.model.host import Snapshot, Trouble, Unavailable
from hostagent.model.plan import Drift, Finding, Unknown

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["find_drift"]

# Without Open vSwitch there are no ports to judge, however little else could be read.
_NOT_JUDGED = {Trouble.ABSENT: 0, Trouble.NOT_ASKED: 2}


def find_drift(snapshot: Snapshot) -> Drift:
    """Find every code of DRIFT in one look.

    A code whose sections were not all read is in ``unknown`` and has no findings: what was
    seen of it without the missing section may be wrong.
    """
    unknown = {code: missing for code in CODES if (missing := _missing(snapshot, code)) is not None}
    found = [each for each in _detect(snapshot) if each.code not in unknown]
    return Drift(findings=tuple(sorted(found, key=lambda each: (each.code, each.object))), unknown=unknown)


def _missing(snapshot: Snapshot, code: str) -> Unknown | None:
    """Why ``code`` can't be judged: its matter is not on this host, was not read, or not asked for."""
    gone = {
        name: section
        for name in CODES[code].sections
        if isinstance(section := getattr(snapshot, name), Unavailable)
    }
    if not gone:
        return None
    worst = min(gone, key=lambda name: _NOT_JUDGED.get(gone[name].trouble, 1))
    section = gone[worst]
    return Unknown(section=worst, reason=section.reason, skip=section.trouble in _NOT_JUDGED)


def _detect(snapshot: Snapshot) -> Iterator[Finding]:
    world = join(snapshot)
    if world is not None:
        yield from absent.find(world)
        yield from attachment.find(world)
        yield from attachment.find_foreign(world)
        yield from wiring.find(world)
        yield from rest.duplicates(world)
        yield from rest.down_taps(world)
        yield from rest.ovn_not_installed(world)
        yield from rest.dead_vlan(world)
        if not isinstance(snapshot.tap_holders, Unavailable):
            yield from rest.orphan_taps(world, snapshot.tap_holders)
    ovs, domains = snapshot.ovs, snapshot.domains
    if isinstance(ovs, Unavailable):
        return
    if not isinstance(domains, Unavailable):
        yield from qos.find(ovs, domains)
        yield from rest.vhost(ovs, domains)
    if not isinstance(snapshot.flows, Unavailable):
        yield from rest.orphan_flows(ovs, snapshot.flows)
    if not isinstance(snapshot.ovs_ctl_options, Unavailable):
        yield from rest.transient_trap(ovs, snapshot.ovs_ctl_options)
