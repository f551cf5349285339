"""Memory that is promised to guests which are only starting: each from its admission until it is real."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from hostagent.model.guests_memory import GuestsMemory

_LEVEL_SECONDS = 60.0  # a process that has not grown for so long has what it will have for now
_GROWTH = 0.01  # of the charge; less than this is no growth
_MOST_SECONDS = 900.0
_ABSENT_SECONDS = 60.0  # the hook runs before libvirt's list has the domain


@dataclass(frozen=True, slots=True, kw_only=True)
class Reservation:
    """What an admitted start holds. Times are seconds since the epoch.

    ``charge`` is what it may come to take, ``elastic`` whether the budget's ratio applies to it, ``node``
    the NUMA node that all of it is bound to. ``resident`` is what its process was last seen to have, and
    ``grew_at`` when that last grew. ``started`` is whether libvirt was seen to have the guest.
    """

    uuid: str
    name: str
    charge: int
    elastic: bool
    made_at: float
    node: int | None = None
    resident: int = 0
    grew_at: float | None = None
    started: bool = False

    @property
    def pending(self) -> int:
        """What it has not yet taken of the memory that is available."""
        return max(0, self.charge - self.resident)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pending:
    """Sums over reservations: what is not yet in the budget's E and X, and what MemAvailable will lose."""

    elastic: int = 0
    fixed: int = 0
    available: int = 0


def advance(
    reservations: Iterable[Reservation],
    guests: GuestsMemory | None,
    now: float,
    *,
    active: Collection[str] | None = None,
) -> tuple[Reservation, ...]:
    """The reservations that still hold after a look; what could not be read ends only by the time-out.

    ``active`` are the UUIDs that libvirt's list has now: one that was there and is gone has stopped, or
    failed to start, and holds nothing any more.
    """
    found = []
    for reservation in reservations:
        each = _advance(reservation, guests, now)
        if active is not None:
            gone = each.started and each.uuid not in active
            each = replace(each, started=each.uuid in active)
            if gone:
                continue
        if not _ended(each, guests, now):
            found.append(each)
    return tuple(found)


def pending(
    reservations: Iterable[Reservation], counted: Mapping[str, object], node: int | None = None
) -> Pending:
    """The sums; ``counted`` has the UUIDs that the budget already counts, ``node`` restricts it to one."""
    elastic = fixed = available = 0
    for each in reservations:
        if node is not None and each.node != node:
            continue
        available += each.pending
        if each.uuid not in counted:
            elastic += each.charge if each.elastic else 0
            fixed += 0 if each.elastic else each.charge
    return Pending(elastic=elastic, fixed=fixed, available=available)


def _advance(each: Reservation, guests: GuestsMemory | None, now: float) -> Reservation:
    guest = None if guests is None else guests.by_uuid.get(each.uuid)
    if guest is None or guest.process is None:
        return each
    resident = guest.process.anonymous + guest.process.shared
    if each.grew_at is None or resident > each.resident + each.charge * _GROWTH:
        return replace(each, resident=resident, grew_at=now)
    return each


def _ended(each: Reservation, guests: GuestsMemory | None, now: float) -> bool:
    if now - each.made_at >= _MOST_SECONDS:
        return True
    if guests is not None and each.uuid not in guests.by_uuid:
        return now - each.made_at >= _ABSENT_SECONDS
    return each.grew_at is not None and now - each.grew_at >= _LEVEL_SECONDS
