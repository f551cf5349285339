"""What samples change: each pool's limit, and how far each boot has come."""

from __future__ import annotations

import logging
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from hostagent.daemon.boots.state import cores
from hostagent.decide.boot.limit import update
from hostagent.decide.boot.pools import pool_reads
from hostagent.decide.boot.queue import flights, pool_of
from hostagent.decide.boot.samples import sample
from hostagent.decide.boot.settled import reads, watch
from hostagent.model.boot import BootState, GuestLook

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from hostagent.daemon.boots.messages import Sampled
    from hostagent.daemon.boots.runs import Run
    from hostagent.daemon.boots.state import State
    from hostagent.model.boot import Progress
    from hostagent.model.boot_guests import GuestFigures
    from hostagent.model.dhcp import Lease

_LOG = logging.getLogger("hostagent")


def measured(state: State) -> frozenset[str]:
    """Whose counters are needed: of boots, and of guests on pools that no disk of this node is."""
    boots = (uuid for uuid, run in state.runs.boots.items() if run.boot.state is BootState.BOOTING)
    far = (uuid for uuid, one in state.guests.items() if one.id is not None and not one.pool.device)
    return frozenset((*boots, *far))


def sampled(state: State, seen: Sampled, ended: Callable[[Run], None]) -> None:
    """Take up one read of all counters; ``ended`` is called for each boot that has settled or timed out."""
    if seen.figures is None:
        state.unseen()
        return
    booting = [run for run in state.runs.boots.values() if run.boot.state is BootState.BOOTING]
    for run in booting:
        _rates(run, seen.figures.by_uuid.get(run.guest.uuid), seen.at)
    counters = pool_reads(state.guests.values(), seen.figures, seen.disks, at=seen.at)
    under_way = flights(state.runs.queue(""), state.limits)
    reading = _reading(state, booting)
    for pool, now in counters.items():
        before = state.reads.get(pool)
        step = sample(before, now, psi_full_avg10=seen.full_avg10) if before is not None else None
        if step is not None and pool in state.limits:
            flight = replace(under_way[pool], reading=reading[pool])
            state.limits[pool] = update(state.limits[pool], step, flight, pacing=state.pacing, cores=cores())
    state.reads, state.unknown_since = counters, None
    for run in booting:
        if run.progress is not None:
            _watch(state, run, run.progress, seen.at, ended)
    state.runs.grow_old(seen.at)


def leased(state: State, leases: Sequence[Lease]) -> None:
    """Take up the leases that the loop has seen: one newer than the boot says that it has come far."""
    for lease in leases:
        expires = float("inf") if lease.expires is None else lease.expires
        state.leases[lease.mac] = max(expires, state.leases.get(lease.mac, 0.0))
    for run in state.runs.boots.values():
        if run.boot.state is BootState.BOOTING:
            run.lease = run.lease or any(
                state.leases.get(mac, 0.0) > run.leases.get(mac, 0.0) for mac in run.guest.macs
            )


def _reading(state: State, booting: Sequence[Run]) -> Counter[str]:
    """How many boots of each pool were seen to do I/O: others are in their firmware, or just begun."""
    found: Counter[str] = Counter()
    for run in booting:
        pool = pool_of(run.boot, state.limits)
        seen = run.boot.in_flight and run.iops is not None
        found[pool] += seen and reads(run.iops, state.limits[pool])
    return found


def _watch(state: State, run: Run, progress: Progress, at: float, ended: Callable[[Run], None]) -> None:
    look = GuestLook(at=at, iops=run.iops, vcpu_share=run.vcpu_share, agent=run.guest.agent, lease=run.lease)
    pool = state.limits[pool_of(run.boot, state.limits)]
    run.progress = progress = watch(progress, look, pool, pacing=state.pacing)
    run.boot = replace(run.boot, quiet=progress.quiet > 0)
    if progress.state is BootState.BOOTING:
        return
    ended(run)
    seconds = at - progress.started_at
    if progress.state is BootState.SETTLED:
        _LOG.info("%s has settled after %.0f s: %s", run.guest.name, seconds, progress.reason)
        state.has_settled(run, seconds)
        return
    _LOG.warning("%s: %s", run.guest.name, progress.reason)
    state.timed_out += 1
    run.boot = replace(run.boot, state=BootState.TIMED_OUT, ended_at=at)
    run.note = progress.reason


def _rates(run: Run, figures: GuestFigures | None, at: float) -> None:
    """The guest's I/Os a second and the part of the time that its vCPUs ran or wanted to; None without one.

    What they waited for a processor counts: on a node whose processors are all busy every guest looks quiet.
    """
    before, since = run.figures, run.figures_at
    run.iops = run.vcpu_share = None
    if figures is None:
        return
    run.figures, run.figures_at = figures, at
    if before is None or since is None or at <= since or figures.requests < before.requests:
        return
    seconds = at - since
    run.iops = (figures.requests - before.requests) / seconds
    if figures.vcpu_seconds is not None and before.vcpu_seconds is not None:
        wanted = figures.vcpu_seconds + figures.vcpu_waited_seconds
        wanted -= before.vcpu_seconds + before.vcpu_waited_seconds
        run.vcpu_share = min(1.0, max(0.0, wanted / (seconds * figures.vcpus)))
