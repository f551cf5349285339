"""What is wrong with boots, as the checks of boots say it. Pure: now is when the agent told (``at``)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hostagent.decide.memory.words import span
from hostagent.model.boot import NODE_POOL, QUEUED, BootState

if TYPE_CHECKING:
    from hostagent.config import Pacing
    from hostagent.model.boot_told import BootsTold, GuestTold, PoolTold

STUCK_SECONDS = 600.0  # no boot is released for so long, and somebody waits
LONG_SECONDS = 1800.0  # a guest that is suspended for so long is an outage
SLOW_SECONDS = (
    300.0  # the limit falls within 15 s of a latency too high, and the boots that run end in minutes
)
OLD_SECONDS = 180.0  # the pacing says something every minute at least
BLIND_SECONDS = 30.0  # libvirt's restart takes less
KEPT_SECONDS = 3600.0  # who timed out is told for so long

# How decide.boot.queue begins its reasons to wait that end by themselves as boots do.
_OWN = re.compile(r"\d+ boots? running, limit |next start in |starts after ")


@dataclass(frozen=True, slots=True, kw_only=True)
class Stuck:
    """A guest whose turn does not come: for how long, and why in the operator's words."""

    name: str
    seconds: float
    detail: str


def why_not_paced(boots: BootsTold | None, pacing: Pacing) -> str:
    """Why nothing can be said of boots on this node, or ""."""
    if not pacing.enabled or (boots is not None and not boots.enabled):
        return "starts are not paced here (boot.enabled is false)"
    if boots is None:
        return "not known: this is a look without the agent, or there is no libvirt"
    return ""


def why_old(boots: BootsTold, now: float) -> str:
    """Why what the agent tells of boots is too old at ``now``, or ""."""
    if now - boots.at <= OLD_SECONDS:
        return ""
    return f"the pacing of boots has said nothing for {span(now - boots.at)} (journalctl -u hostagent)"


def why_blind(boots: BootsTold) -> str:
    """Why guests may be other than the agent tells, or ""."""
    since = boots.unknown_since
    if since is None or boots.at - since < BLIND_SECONDS:
        return ""
    return f"the pacing of boots has not seen libvirt for {span(boots.at - since)}"


def queued(boots: BootsTold) -> tuple[GuestTold, ...]:
    """The guests that wait for a release or are held."""
    return tuple(each for each in boots.guests if each.state in QUEUED and not each.managed)


def stuck(boots: BootsTold, pacing: Pacing) -> tuple[Stuck, ...]:
    """The guests whose turn does not come by itself, by name.

    Where a person or the stop file halted the agent that is everybody at once. Else a guest is stuck when
    its pool has room and yet nothing was released for a while; when something that is no boot, such as the
    memory, has kept it for as long; or when the pool is full for longer than any boot may take.
    """
    room = {each.pool: each.booting < each.limit for each in boots.pools}
    found = (
        _stuck(each, boots, pacing, room=room.get(each.pool, room.get(NODE_POOL, True)))
        for each in queued(boots)
    )
    return tuple(sorted((each for each in found if each is not None), key=lambda each: each.name))


def _stuck(guest: GuestTold, boots: BootsTold, pacing: Pacing, *, room: bool) -> Stuck | None:
    waited = boots.at - guest.since
    idle = waited if boots.released_at is None else min(waited, boots.at - boots.released_at)
    why, seconds = guest.reason or "no reason is known", idle
    if boots.halted or boots.hold:
        why = boots.halted or boots.hold
    elif not room:
        if idle < pacing.timeout_seconds + STUCK_SECONDS:
            return None
    elif not _OWN.match(guest.reason):
        seconds = waited
    if not (boots.halted or boots.hold) and seconds < STUCK_SECONDS:
        return None
    return Stuck(name=guest.name, seconds=seconds, detail=f"{guest.state} for {span(waited)}: {why}")


def timed_out(boots: BootsTold) -> tuple[GuestTold, ...]:
    """The guests whose boot timed out within the last hour, by name."""
    found = (
        each
        for each in boots.guests
        if each.state == BootState.TIMED_OUT and boots.at - each.since <= KEPT_SECONDS
    )
    return tuple(sorted(found, key=lambda each: each.name))


def measured(boots: BootsTold) -> tuple[PoolTold, ...]:
    """The pools whose latency is known now, or in which nothing completes."""
    return tuple(
        each for each in boots.pools if each.latency_seconds is not None or each.slow_since is not None
    )


def slow_for(pool: PoolTold, at: float) -> float:
    """For how many seconds the pool has been far above its target, 0 where that is no matter yet."""
    if pool.slow_since is None or at - pool.slow_since < SLOW_SECONDS:
        return 0.0
    return at - pool.slow_since
