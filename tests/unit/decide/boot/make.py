"""Boots, limits and looks in a word each."""

from __future__ import annotations

from dataclasses import replace

from hostagent.config import Pacing
from hostagent.decide.boot.queue import release
from hostagent.model.boot import NODE_POOL, Admit, Boot, BootState, Decision, LimitState, Queue

PACING = Pacing(spacing_seconds=0)


def boot(name: str, state: BootState = BootState.WAITING, *, at: float = 0.0, after: str = "") -> Boot:
    return Boot(uuid=f"uuid-{name}", name=name, requested_at=at, state=state, after=tuple(after.split()))


def limits(limit: int) -> dict[str, LimitState]:
    return {NODE_POOL: LimitState(limit=limit, target_seconds=0.02)}


def decide(*boots: Boot, limit: int = 2, now: float = 0.0, pacing: Pacing = PACING) -> dict[str, Decision]:
    queue = Queue(boots=boots)
    made = release(queue, limits(limit), now, pacing=pacing, memory=lambda _: "")
    return {each.name: each for each in made}


def admitted(decisions: dict[str, Decision]) -> list[str]:
    return [name for name, each in decisions.items() if isinstance(each, Admit)]


def ended(each: Boot, state: BootState, *, at: float) -> Boot:
    return replace(each, state=state, ended_at=at)
