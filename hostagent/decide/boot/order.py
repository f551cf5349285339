"""Which boot is next: priority, then what it depends on, then first come.

Waiting raises priority, and a guest that others wait for has the priority of the most urgent of them.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hostagent.model.boot import BootState

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from hostagent.config import Pacing
    from hostagent.model.boot import Boot, Queue


def circle(after: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """A shortest circle of dependencies as a path, the first name at both ends; () where there is none."""
    found = (path for name in sorted(after) if (path := path_between(after, name, name)))
    return min(found, key=len, default=())


def path_between(after: Mapping[str, Sequence[str]], name: str, goal: str) -> tuple[str, ...]:
    """A shortest way from ``name`` to ``goal`` along what each starts after, of one step at least, or ()."""
    came: dict[str, str] = {}
    todo = deque([name])
    while todo:
        here = todo.popleft()
        for parent in after.get(here, ()):
            if parent == goal:
                steps = [goal, here]
                while steps[-1] != name:
                    steps.append(came[steps[-1]])
                return tuple(reversed(steps))
            if parent not in came and parent != name:
                came[parent] = here
                todo.append(parent)
    return ()


def in_order(boots: Iterable[Boot], *, now: float, pacing: Pacing) -> tuple[Boot, ...]:
    """The boots that wait for a release, next one first."""
    waiting = [boot for boot in boots if boot.queued]
    urgency = _inherited({boot.name: _aged(boot, now, pacing) for boot in waiting}, waiting)
    return tuple(sorted(waiting, key=lambda boot: (-urgency[boot.name], boot.requested_at, boot.name)))


def _aged(boot: Boot, now: float, pacing: Pacing) -> int:
    return boot.priority + int(max(0.0, now - boot.requested_at) / pacing.aging_seconds)


def _inherited(urgency: dict[str, int], waiting: Sequence[Boot]) -> dict[str, int]:
    """Each guest's urgency, raised to that of the guests that wait for it, however many steps away."""
    after = {boot.name: boot.after for boot in waiting if boot.after}
    todo = deque(after)
    while todo:
        name = todo.popleft()
        for parent in after.get(name, ()):
            if parent in urgency and urgency[parent] < urgency[name]:
                urgency[parent] = urgency[name]
                todo.append(parent)
    return urgency


@dataclass(frozen=True, slots=True, kw_only=True)
class Dependency:
    """``wait`` is why a guest can't start yet, or ""; ``gave_up`` is what it starts without, or ""."""

    wait: str = ""
    gave_up: str = ""


def dependency(
    boot: Boot, by_name: Mapping[str, Boot], queue: Queue, *, now: float, pacing: Pacing
) -> Dependency:
    """What ``boot`` still waits for.

    A parent that is under way is waited for. One that is gone, timed out or in a circle with the guest is
    given up after ``dependency_seconds``.
    """
    gave_up: list[str] = []
    for name in boot.after:
        parent = by_name.get(name)
        if name in queue.up or (parent is not None and parent.state is BootState.SETTLED):
            continue
        dead, since = _dead(boot, name, parent, by_name)
        if not dead and parent is not None:
            return Dependency(wait=f"starts after {name}, which is {parent.state}")
        left = since + pacing.dependency_seconds - now
        if left > 0:
            return Dependency(wait=f"starts after {name}, which {dead}; without it in {left:.0f} s")
        gave_up.append(f"{name}, which {dead}")
    if not gave_up:
        return Dependency()
    return Dependency(gave_up=f"after {pacing.dependency_seconds:g} s without {' and '.join(gave_up)}")


def _dead(boot: Boot, name: str, parent: Boot | None, by_name: Mapping[str, Boot]) -> tuple[str, float]:
    """Why a parent will not settle, or "", and since when the guest has waited for it in vain."""
    since = boot.requested_at
    if parent is None:
        return "is not under way", since
    if parent.state is BootState.TIMED_OUT:
        return "timed out", since if parent.ended_at is None else max(since, parent.ended_at)
    if parent.state is BootState.BOOTING:
        return "", since
    if not parent.queued:
        return f"{parent.managed} has not started", since
    after = {each.name: each.after for each in by_name.values() if each.queued and each.after}
    if around := path_between(after, name, boot.name):
        return f"starts after itself ({' → '.join((boot.name, *around))})", since
    return "", since
