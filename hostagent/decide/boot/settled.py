"""When a guest has settled: by its agent, by quiet, or by having taken too long. Pure, one sample at a time.

On a saturated disk every guest looks quiet, because each waits for its requests. There a guest is quiet only
when it hardly has any outstanding, by Little's law its I/Os a second times the pool's latency: one that waits
always has one at least.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from hostagent.decide.boot.limit import slow
from hostagent.model.boot import BootState

if TYPE_CHECKING:
    from hostagent.config import Pacing
    from hostagent.model.boot import GuestLook, LimitState, Progress

_IDLE_OUTSTANDING = 0.2
_IDLE_IOPS = 1.0  # where latency is unknown


def watch(progress: Progress, look: GuestLook, pool: LimitState, *, pacing: Pacing) -> Progress:
    """The boot after one more look; what has ended stays as it is."""
    if progress.state is not BootState.BOOTING:
        return progress
    agent_at = progress.agent_at if look.agent else None
    seen = replace(
        progress,
        peak_iops=max(progress.peak_iops, look.iops or 0.0),
        quiet=_quiet(progress, look, pool, pacing),
        agent_at=look.at if look.agent and agent_at is None else agent_at,
    )
    if why := _settled(seen, look, pacing):
        return replace(seen, state=BootState.SETTLED, ended_at=look.at, reason=why)
    age = look.at - seen.started_at
    if age >= pacing.timeout_seconds:
        return replace(
            seen,
            state=BootState.TIMED_OUT,
            ended_at=look.at,
            reason=f"not settled after {age:.0f} s (boot.timeout_seconds is {pacing.timeout_seconds:g})",
        )
    return seen


def _quiet(progress: Progress, look: GuestLook, pool: LimitState, pacing: Pacing) -> int:
    """How many samples in a row were quiet, this one included; one that says nothing changes nothing."""
    if look.iops is None or look.vcpu_share is None:
        return progress.quiet
    busy = look.iops > pacing.quiet_io_share * max(progress.peak_iops, look.iops)
    if busy or look.vcpu_share > pacing.quiet_vcpu_share:
        return 0
    if slow(pool, pacing.quiet_latency_ratio) and reads(look.iops, pool):
        return 0
    if look.at - progress.started_at < pacing.quiet_after_seconds and not look.lease:
        return 0
    return progress.quiet + 1


def reads(iops: float | None, pool: LimitState) -> bool:
    """Whether a guest has requests under way, on average more than now and then one.

    Where that can't be said it does: its rate is unknown, or no request completes.
    """
    if iops is None or pool.stalled:
        return True
    if pool.latency_seconds is None:
        return iops > _IDLE_IOPS
    return iops * pool.latency_seconds > _IDLE_OUTSTANDING


def _settled(seen: Progress, look: GuestLook, pacing: Pacing) -> str:
    """Why the guest has settled, or ""."""
    if seen.agent_at is not None and look.at - seen.agent_at >= pacing.agent_seconds:
        return f"guest agent connected {look.at - seen.agent_at:.0f} s ago"
    if seen.quiet >= pacing.quiet_samples:
        lease = "DHCP lease, " if look.lease else ""
        return f"{lease}quiet for {seen.quiet} samples"
    return ""
