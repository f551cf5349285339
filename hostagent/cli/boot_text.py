"""Boots on one screen: pools, who boots, who waits and why, who timed out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hostagent.cli.boot_words import bar, milliseconds, status_line, within
from hostagent.cli.words import printable, span, table

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from hostagent.cli.boot_words import Seen
    from hostagent.model.boot_told import GuestTold, PoolTold

_SCREEN = 24  # lines
_LEAST = 2  # rows of each table
_MOST_POOLS = 4
_POOLS = ("POOL", "KIND", "LIMIT", "QUEUED", "LATENCY", "", "TARGET", "IOPS", "PRESSURE", "BECAUSE")
_BOOTING = ("BOOTING", "POOL", "FOR", "I/OS", "IOPS", "CPU", "STATE")
_QUEUED = ("QUEUED", "", "POOL", "PRIORITY", "FOR", "EXPECTED", "BECAUSE")
_TIMED_OUT = ("TIMED OUT", "POOL", "AGO", "BECAUSE")


def text(seen: Seen, *, full: bool) -> str:
    """The whole screen; ``full`` leaves nobody out."""
    lines = [status_line(seen), *(f"{label:<9} {printable(words)}" for label, words in _figures(seen))]
    lines += _pools(seen, full=full)
    blocks = [
        (_BOOTING, [_booting(each, seen.now) for each in seen.booting]),
        (_QUEUED, [_queued(place, each, seen.now) for place, each in enumerate(seen.queued, 1)]),
        (_TIMED_OUT, [_timed_out(each, seen.now) for each in seen.timed_out]),
    ]
    blocks = [(header, rows) for header, rows in blocks if rows]
    counts = [len(rows) for _, rows in blocks]
    rooms = counts if full else _rooms(counts, _SCREEN - len(lines))
    for (header, rows), room in zip(blocks, rooms, strict=True):
        left = len(rows) - room
        lines += ["", *table([header, *rows[:room]])]
        lines += [f"and {left} more (--full prints all)"] if left else []
    return "\n".join(lines) + "\n"


def _rooms(counts: Sequence[int], lines: int) -> list[int]:
    """How many rows of each table fit: a few of each, then as many as there are of the first."""
    left = lines - 3 * len(counts)  # a blank, the header, and how many are left out
    rooms = [min(count, _LEAST) for count in counts]
    left -= sum(rooms)
    for index, count in enumerate(counts):
        more = max(0, min(count - rooms[index], left))
        rooms[index] += more
        left -= more
    return rooms


def _figures(seen: Seen) -> Iterator[tuple[str, str]]:
    told = seen.told
    if told.unknown_since is not None:
        yield "unknown", f"for {span(seen.now - told.unknown_since)}; what follows is from before"
    if told.admissions:
        counts = sorted(told.admissions.items(), key=lambda each: (-each[1], each[0]))
        last = (
            "" if told.released_at is None else f"; the last release {span(seen.now - told.released_at)} ago"
        )
        yield "admitted", ", ".join(f"{count} {reason}" for reason, count in counts) + last
    if told.settled.count or told.timed_out:
        yield "settled", _settled(seen)


def _settled(seen: Seen) -> str:
    settled, timed_out = seen.told.settled, seen.told.timed_out
    words = f"{settled.count}, {timed_out} timed out"
    if settled.count:
        words += f"; half {within(settled, 0.5)}, 95 % {within(settled, 0.95)}"
    return f"{words}; guests waited {span(seen.told.held_seconds)} in all"


def _pools(seen: Seen, *, full: bool) -> list[str]:
    """The pools as a table; where there are many, those with boots first."""
    pools = seen.told.pools
    if not pools:
        return []
    if len(pools) > _MOST_POOLS and not full:
        pools = tuple(sorted(pools, key=lambda each: not (each.booting or each.queued)))[: _MOST_POOLS - 1]
    left = len(seen.told.pools) - len(pools)
    lines = ["", *table([_POOLS, *(_pool(each, seen.now) for each in pools)])]
    return [*lines, f"and {left} more pools (--full prints all)"] if left else lines


def _pool(pool: PoolTold, now: float) -> tuple[str, ...]:
    return (
        pool.pool,
        pool.kind,
        f"{pool.booting} of {pool.limit}",
        str(pool.queued),
        milliseconds(pool.latency_seconds),
        bar(pool.latency_seconds, pool.target_seconds),
        milliseconds(pool.target_seconds),
        f"{pool.iops:.0f}",
        "?" if pool.full_avg10 is None else f"{pool.full_avg10:.0f} %",
        pool.reason if pool.slow_since is None else f"{pool.reason} (slow for {span(now - pool.slow_since)})",
    )


def _booting(guest: GuestTold, now: float) -> tuple[str, ...]:
    return (
        guest.name,
        guest.pool,
        span(now - guest.since),
        "?" if guest.requests is None else str(guest.requests),
        "?" if guest.iops is None else f"{guest.iops:.0f}",
        "?" if guest.vcpu_share is None else f"{guest.vcpu_share * 100:.0f} %",
        "; ".join([*_marks(guest), *([guest.reason] if guest.reason else [])]),
    )


def _queued(place: int, guest: GuestTold, now: float) -> tuple[str, ...]:
    expected = "?" if guest.expected_seconds is None else span(guest.expected_seconds)
    return (
        f"{place}. {guest.name}",
        guest.state,
        guest.pool,
        str(guest.priority),
        span(now - guest.since),
        expected,
        "; ".join([*_marks(guest), guest.reason]),
    )


def _timed_out(guest: GuestTold, now: float) -> tuple[str, ...]:
    return guest.name, guest.pool, span(now - guest.since), "; ".join([*_marks(guest), guest.reason])


def _marks(guest: GuestTold) -> Iterator[str]:
    """What is special about a boot."""
    if guest.managed:
        yield f"{guest.managed} runs it"
    if guest.slowed_iops:
        yield f"slowed to {guest.slowed_iops} IOPS"
    if guest.exempt:
        yield "exempt"
    if guest.agent:
        yield "guest agent connected"
