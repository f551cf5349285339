"""How many guests of a pool may boot at once: a pure update of (state, sample), as Little's law has it.

W is the moving average of latency, X the requests a second, b the boots in flight. X·W requests are
outstanding (Little), so b·Wt/W boots would keep latency at the target Wt. Boots outlast the feedback, two
minutes against ten seconds: the limit falls fast and rises slowly, and no boot is stopped that runs.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

from hostagent.model.boot import DiskClass, LimitState

if TYPE_CHECKING:
    from hostagent.config import Pacing
    from hostagent.model.boot import Flight, Sample

FORGET = 3.0  # averaging times after which an old latency says nothing


def first(kind: DiskClass, *, pacing: Pacing, cores: int) -> LimitState:
    """The limit of a pool that was never measured, on a node with ``cores`` logical processors."""
    targets = {
        DiskClass.NVME: pacing.target_nvme_seconds,
        DiskClass.SSD: pacing.target_ssd_seconds,
        DiskClass.SPINNING: pacing.target_spinning_seconds,
        DiskClass.OTHER: pacing.target_other_seconds,
    }
    limit = min(max(pacing.first_limit, pacing.least_limit), most(pacing, cores=cores))
    return LimitState(limit=limit, target_seconds=targets[kind])


def most(pacing: Pacing, *, cores: int) -> int:
    """The highest limit: boots need processors too."""
    return max(pacing.least_limit, min(pacing.most_limit, 2 * cores))


def update(state: LimitState, sample: Sample, flight: Flight, *, pacing: Pacing, cores: int) -> LimitState:
    """The limit after one more sample; its ``reason`` says why it fell, rose or stayed."""
    seen = _measure(state, sample, pacing)
    if why := _brake(seen, pacing):
        cut = _cut(seen, flight, why, pacing)
        if (
            cut.limit < seen.limit
            or seen.stalled
            or not slow(seen, 1)
            or slow(seen, pacing.cut_latency_ratio)
        ):
            return cut
    if slow(seen, 1):  # also where pressure has nothing to cut yet: it must not keep a limit up
        return _sink(seen, flight, pacing)
    return _grow(seen, flight, pacing, cores)


def _brake(state: LimitState, pacing: Pacing) -> str:
    """Why the limit must fall, or ""."""
    if state.stalled:
        return "requests are in flight and none completes"
    if slow(state, pacing.cut_latency_ratio):
        return words(state)
    if _pressed(state, pacing) and (state.latency_seconds is None or slow(state, 1)):
        return _pressure(state, pacing)
    return ""


def _pressed(state: LimitState, pacing: Pacing) -> bool:
    return state.psi_full_avg10 is not None and state.psi_full_avg10 > pacing.psi_percent


def _pressure(state: LimitState, pacing: Pacing) -> str:
    return f"I/O pressure {state.psi_full_avg10:.0f} %, limit is {pacing.psi_percent:g} %"


def words(state: LimitState) -> str:
    """Latency against its target, as an operator reads it."""
    target = f"target {1000 * state.target_seconds:g} ms"
    if state.latency_seconds is None:
        return f"latency unknown, {target}"
    return f"latency {1000 * state.latency_seconds:.1f} ms, {target}"


def _due(last: float | None, spacing: float, state: LimitState) -> bool:
    return last is None or state.at is None or state.at - last >= spacing


def slow(state: LimitState, ratio: float) -> bool:
    """Whether latency is above ``ratio`` times the target, or nothing completes; unknown is not slow."""
    latency = state.latency_seconds
    return state.stalled or (latency is not None and latency > ratio * state.target_seconds)


def _measure(state: LimitState, sample: Sample, pacing: Pacing) -> LimitState:
    """The state with W, X and pressure of the sample; where too little completes W is soon forgotten."""
    latency, measured_at = state.latency_seconds, state.measured_at
    if sample.latency_seconds is not None and sample.completed >= pacing.sample_requests:
        if latency is None or measured_at is None:
            latency = sample.latency_seconds
        else:
            # Exact for samples at any distance: after a long silence the new sample is all that counts.
            past = math.exp(-(sample.at - measured_at) / pacing.average_seconds)
            latency = past * latency + (1 - past) * sample.latency_seconds
        measured_at = sample.at
    elif measured_at is not None and sample.at - measured_at > FORGET * pacing.average_seconds:
        latency = None
    seen = replace(
        state,
        latency_seconds=latency,
        measured_at=measured_at,
        iops=sample.iops,
        psi_full_avg10=sample.psi_full_avg10,
        stalled=sample.stalled,
        at=sample.at,
    )
    return replace(seen, slow_since=_slow_since(state, seen, sample, pacing))


def _slow_since(state: LimitState, seen: LimitState, sample: Sample, pacing: Pacing) -> float | None:
    """Since when every sample is far above the target; what was before a silence says nothing."""
    if not slow(seen, pacing.cut_latency_ratio):
        return None
    silent = state.at is None or sample.at - state.at > FORGET * pacing.average_seconds
    return sample.at if silent or state.slow_since is None else state.slow_since


def _cut(state: LimitState, flight: Flight, why: str, pacing: Pacing) -> LimitState:
    """Down to what Little's law allows, by a share at least."""
    if not _due(state.cut_at, pacing.cut_seconds, state):
        return replace(state, reason=why)
    if flight.booting > state.limit:
        # The last cut has not come to bear yet: boots outlast it, and cutting on would end at one.
        return replace(state, reason=f"{why}; {flight.booting} boots still running, limit {state.limit}")
    little = state.limit
    if flight.booting and state.latency_seconds:
        outstanding = state.iops * state.latency_seconds
        each = max(1.0, outstanding / flight.booting)
        little = int(state.iops * state.target_seconds / each)
    limit = max(pacing.least_limit, min(int(pacing.cut_share * state.limit), little))
    return replace(state, limit=limit, cut_at=state.at, reason=f"{why}: limit {limit}, was {state.limit}")


def _sink(state: LimitState, flight: Flight, pacing: Pacing) -> LimitState:
    """One less at a time above the target: a limit that only rises in every dip would climb to the cut."""
    if flight.booting < state.limit or not _due(state.cut_at, pacing.sink_seconds, state):
        return replace(state, reason=words(state))
    # Not below what a cut would leave of the boots that run: they outlast this too.
    least = max(pacing.least_limit, int(pacing.cut_share * flight.booting))
    limit = max(min(least, state.limit), state.limit - 1)
    return replace(state, limit=limit, cut_at=state.at, reason=words(state))


def _grow(state: LimitState, flight: Flight, pacing: Pacing, cores: int) -> LimitState:
    """One more at a time near the target; by a share of the limit while latency is far below it."""
    if not flight.waiting:
        return replace(state, reason="nobody waits")
    if flight.booting < state.limit:
        return replace(state, reason=f"{flight.booting} boots running, limit {state.limit}: not used")
    if _pressed(state, pacing):
        return replace(state, reason=_pressure(state, pacing))
    if (share := _reading(flight)) is None:
        return replace(state, reason=f"none of {flight.booting} boots reads yet")
    ahead = (state.latency_seconds or 0.0) / share
    if ahead > state.target_seconds:
        some = f"only {flight.reading} of {flight.booting} boots read"
        return replace(state, reason=f"{words(state)}; {some}")
    step = _step(ahead, state, pacing)
    if not _due(state.grown_at, pacing.grow_seconds if step > 1 else pacing.grow_near_seconds, state):
        return replace(state, reason=words(state))
    limit = min(most(pacing, cores=cores), state.limit + step)
    return replace(state, limit=limit, grown_at=state.at, reason=words(state))


def _reading(flight: Flight) -> float | None:
    """Which part of the boots in flight the latency is of; None while none of them reads."""
    if flight.reading is None or not flight.booting:
        return 1.0
    return flight.reading / flight.booting or None


def _step(ahead: float, state: LimitState, pacing: Pacing) -> int:
    """By how much the limit rises: the farther below its target latency is, the more; it doubles at most.

    ``ahead`` is the latency when all boots in flight do what some do now: while guests are busy with their
    firmware the disk looks free.
    """
    if not ahead:
        return 1
    room = state.target_seconds / ahead - 1
    return max(1, int(state.limit * min(1.0, pacing.grow_share * room)))
