"""What becomes of guests that an agent held, slowed or had still to start, when it does not come back. Pure.

Times are seconds on the monotonic clock.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from hostagent.model.boot_held import SLOWED
from hostagent.model.guests import DomainState

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from hostagent.model.boot_guests import BootGuest, GuestFigures
    from hostagent.model.boot_held import Held

# vCPU time that proves nothing: QEMU wakes the threads of suspended vCPUs again and again, some guests' a
# thousand times a second for 0.5 % of a core each (measured, QEMU 7.2; docs/adr/0012).
IDLE_SECONDS, IDLE_SHARE = 0.2, 0.01
_ORDERED = frozenset({"user", "migration"})  # the latter: saved while it was suspended, and restored
_PASSING = frozenset({"starting up", "save", "dump", "snapshot", "from snapshot", "shutting down"})


class Kind(StrEnum):
    """What to do about one guest, in the order in which it is done."""

    FORGET = "forget"
    UNSLOW = "unslow"
    RESUME = "resume"
    WAKE = "wake"  # what is saved to disk is to go on when somebody starts it
    START = "start"
    LOOK = "look"  # it is on its way into another state: look again


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One guest; ``run`` is libvirt's id of the run that is meant, ``reason`` why, in words for the log."""

    kind: Kind
    uuid: str
    name: str
    reason: str
    run: int = -1


def task(
    entry: Held,
    guest: BootGuest | None,
    figures: GuestFigures | None,
    *,
    boot_id: str,
    saved: bool,
    age: float,
) -> Task:
    """What is due for an entry of the held list, as its guest is now.

    ``guest`` is None when libvirt does not know it any more; ``saved``: it is shut off with its memory on
    disk; ``age`` is the entry's (see age_of). Only a guest that is still as it was suspended is resumed: the
    same run, or the saved one restored, which has not run since.
    """

    def due(kind: Kind, reason: str) -> Task:
        run = -1 if guest is None or guest.id is None else guest.id
        return Task(kind=kind, uuid=entry.uuid, name=entry.name, reason=reason, run=run)

    if guest is None:
        return due(Kind.FORGET, "it is not defined any more")
    same = (entry.boot_id, entry.id) == (boot_id, guest.id)
    if entry.kind == SLOWED:
        words = f"limited to {entry.iops} I/Os a second: {entry.reason}"
        return due(Kind.UNSLOW, words) if same else due(Kind.FORGET, "the run that was slowed has ended")
    if guest.id is None:
        if saved:
            return due(Kind.WAKE, "it was saved while it was held, and would come back paused")
        return due(Kind.FORGET, "the run that was held has ended")
    if guest.state is not DomainState.PAUSED:
        return due(Kind.FORGET, f"it is {guest.state}: somebody resumed it")
    if guest.reason in _PASSING:
        return due(Kind.LOOK, f"it is paused for {guest.reason}")
    if guest.reason not in _ORDERED:
        return due(Kind.FORGET, f"it is paused for {guest.reason or 'an unknown reason'}, not by us any more")
    if not same and guest.reason != "migration" and entry.boot_id == boot_id:
        return due(Kind.FORGET, "the run that was held has ended, and somebody paused the next one")
    if ran(entry, figures, same=same, age=age) and not _stands_still(entry, guest, figures, age):
        return due(Kind.FORGET, "it ran since it was held, and somebody paused it again: it is left so")
    return due(Kind.RESUME, f"held: {entry.reason}")


def age_of(entry: Held, *, now: float, uptime: float) -> float:
    """For how many seconds the guest may have been suspended in this boot; ``now`` is since the epoch."""
    age = now - entry.since
    return uptime if age < 0 else min(age, uptime)  # the clock was set back


def ran(entry: Held, figures: GuestFigures | None, *, same: bool, age: float) -> bool:
    """Whether a paused guest has run since it was suspended; ``same``: in that very run.

    One that was saved and restored counts from nothing again.
    """
    if figures is None:
        return False
    requests = entry.requests if same else 0
    seconds = entry.vcpu_seconds if same else 0.0
    if requests is not None and figures.requests > requests:
        return True
    if seconds is None or figures.vcpu_seconds is None:
        return False
    return figures.vcpu_seconds - seconds > IDLE_SECONDS + IDLE_SHARE * age * figures.vcpus


def _stands_still(entry: Held, guest: BootGuest, figures: GuestFigures | None, age: float) -> bool:
    """Whether its id and its counters are just what was noted, whatever boot that was said to be.

    In a container the boot id that a process sees depends on its sandbox; a package's prerm has none.
    """
    if figures is None or None in {entry.requests, entry.vcpu_seconds, figures.vcpu_seconds}:
        return False
    went_on = figures.requests == entry.requests and (figures.vcpu_seconds or 0) >= (entry.vcpu_seconds or 0)
    return guest.id == entry.id and went_on and not ran(entry, figures, same=True, age=age)


def starts(guests: Iterable[BootGuest], pending: frozenset[str] | None) -> tuple[Task, ...]:
    """The adopted guests that this boot of the node has still to start, each after those it starts after.

    ``pending`` are the UUIDs that are left of them; None when nobody has begun.
    """
    left = {
        guest.name: guest
        for guest in guests
        if guest.wish.adopted and guest.persistent and guest.id is None and not guest.managers
        if pending is None or guest.uuid in pending
    }
    urgency = {guest.name: guest.wish.priority for guest in left.values()}
    for _ in left:  # a guest is as urgent as those that wait for it, however many steps away
        for guest in left.values():
            for parent in urgency.keys() & set(guest.wish.after):
                urgency[parent] = max(urgency[parent], urgency[guest.name])
    found: list[Task] = []
    while left:
        free = [guest for guest in left.values() if not left.keys() & set(guest.wish.after)]
        # Without any that is free they wait for one another in a circle: then the order is nobody's.
        guest = min(free or left.values(), key=lambda each: (-urgency[each.name], each.name))
        del left[guest.name]
        reason = f"adopted, priority {guest.wish.priority}"
        found.append(Task(kind=Kind.START, uuid=guest.uuid, name=guest.name, reason=reason))
    return tuple(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How long the agent is waited for, and the time before each resumption and each start."""

    grace: float = 30.0
    resume: float = 5.0
    start: float = 10.0
    again: float = 30.0  # between two tries of what libvirt did not do


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """``released_at`` is the last resumption or start; ``failed`` when each was tried in vain, by UUID."""

    begun_at: float
    released_at: float | None = None
    failed: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Next:
    """Either ``task`` is due now, or nothing is for ``seconds``; with neither all is done."""

    task: Task | None = None
    seconds: float | None = None
    reason: str = ""


def next_step(
    tasks: Sequence[Task], past: Past, now: float, *, pace: Pace, starting: bool = False, halted: str = ""
) -> Next:
    """What is due now.

    ``starting``: the node's own start has not ended, and may yet restore who was saved; ``halted``: why
    nothing may be done.
    """
    if not tasks:
        return Next()
    what = _count(tasks)
    if halted:
        return Next(seconds=pace.resume, reason=f"{halted}; {what}")
    if (left := past.begun_at + pace.grace - now) > 0:
        return Next(seconds=left, reason=f"the agent has {pace.grace:g} s to come back; {what}")
    due = [each for each in tasks if each.kind not in ({Kind.LOOK, Kind.WAKE} if starting else {Kind.LOOK})]
    ready = [each for each in due if now >= past.failed.get(each.uuid, now - pace.again) + pace.again]
    if not ready:
        return Next(seconds=pace.resume, reason=what)
    first = min(ready, key=lambda each: _ORDER[each.kind])
    if first.kind in {Kind.RESUME, Kind.START} and past.released_at is not None:
        pause = pace.resume if first.kind is Kind.RESUME else pace.start
        if (left := past.released_at + pause - now) > 0:
            return Next(seconds=left, reason=what)
    return Next(task=first, reason=what)


_ORDER = {kind: number for number, kind in enumerate(Kind)}


def _count(tasks: Sequence[Task]) -> str:
    words = {Kind.UNSLOW: "slowed", Kind.RESUME: "held", Kind.WAKE: "saved", Kind.START: "to start"}
    counts = {word: sum(each.kind is kind for each in tasks) for kind, word in words.items()}
    return ", ".join(f"{count} {word}" for word, count in counts.items() if count) or "nothing held"
