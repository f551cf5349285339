"""What the agent tells of boots, made of the pacer's state."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from hostagent.decide.boot.order import in_order
from hostagent.decide.boot.queue import flights
from hostagent.model.boot import BootState
from hostagent.model.boot_told import BootsTold, GuestTold, PoolTold

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hostagent.daemon.boots.runs import Run
    from hostagent.daemon.boots.state import State

_FRESH_SAMPLES = 4  # a latency older than so many samples is not told: nobody measures while nobody boots


def told(state: State, now: float) -> BootsTold:
    """All of it at this moment."""
    shift = time.time() - now
    return BootsTold(
        at=now + shift,
        enabled=state.pacing.enabled,
        halted=state.halted,
        hold=state.hold,
        unknown_since=state.unknown_since,
        pools=tuple(_pools(state, now, shift)),
        guests=tuple(_guest(run, shift) for run in _in_turn(state, now)),
        admissions=dict(state.runs.counts),
        timed_out=state.timed_out,
        held_seconds=state.held_seconds,
        settled=state.settled,
        released_at=state.released_at,
    )


def _in_turn(state: State, now: float) -> list[Run]:
    """All runs; those that wait in the order of their turns."""
    boots = state.runs.boots
    waiting = in_order((run.boot for run in boots.values()), now=now, pacing=state.pacing)
    turns = {boot.uuid: turn for turn, boot in enumerate(waiting)}
    return sorted(boots.values(), key=lambda run: turns.get(run.boot.uuid, -1))


def _pools(state: State, now: float, shift: float) -> Iterator[PoolTold]:
    under_way = flights(state.runs.queue(""), state.limits)
    for name, limit in sorted(state.limits.items()):
        old = limit.at is None or now - limit.at > _FRESH_SAMPLES * state.pacing.sample_seconds
        yield PoolTold(
            pool=name,
            kind=str(state.pools[name].kind),
            limit=limit.limit,
            booting=under_way[name].booting,
            queued=under_way[name].waiting,
            target_seconds=limit.target_seconds,
            latency_seconds=None if old else limit.latency_seconds,
            iops=0.0 if old else limit.iops,
            full_avg10=None if old else limit.psi_full_avg10,
            reason=limit.reason,
            slow_since=None if old or limit.slow_since is None else limit.slow_since + shift,
        )


def _guest(run: Run, shift: float) -> GuestTold:
    boot = run.boot
    since = {
        BootState.BOOTING: boot.started_at,
        BootState.TIMED_OUT: boot.ended_at,
        BootState.SETTLED: boot.ended_at,
    }.get(boot.state)
    return GuestTold(
        uuid=boot.uuid,
        name=boot.name,
        pool=boot.pool,
        state=str(boot.state),
        since=(boot.requested_at if since is None else since) + shift,
        reason=run.note if boot.state is not BootState.BOOTING else _awaited(run),
        priority=boot.priority,
        after=boot.after,
        managed=boot.managed,
        exempt=boot.exempt,
        expected_seconds=run.expected,
        requests=None if run.figures is None else run.figures.requests,
        iops=run.iops,
        vcpu_share=run.vcpu_share,
        agent=run.guest.agent,
        slowed_iops=run.slowed_iops,
    )


def _awaited(run: Run) -> str:
    """What is missing for it to be taken for settled."""
    if run.suspended:
        return "being resumed"
    if run.guest.id is None:
        return "being started"
    if run.guest.agent:
        return "guest agent connected a moment ago"
    quiet = 0 if run.progress is None else run.progress.quiet
    return f"{quiet} quiet sample{'' if quiet == 1 else 's'}, takes no place" if quiet else "busy"
