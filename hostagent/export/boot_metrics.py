"""What the agent tells of boots → metrics. A latency that is not known has no series: it is never 0."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hostagent.decide.boot.judging import OLD_SECONDS
from hostagent.export.shapes import counter, gauge, histogram

if TYPE_CHECKING:
    from collections.abc import Iterator

    from prometheus_client.core import Metric

    from hostagent.model.boot_told import PoolTold
    from hostagent.model.published import Published


def boots(published: Published) -> Iterator[Metric]:
    """All of it; nothing where boots are not paced, and only its time where the pacing hangs."""
    told = published.boots
    if told is None or not told.enabled:
        return
    yield gauge("boot_timestamp_seconds", "When the pacing of boots last said how they are.", told.at)
    if abs(published.alive_at - told.at) > OLD_SECONDS:
        return
    yield gauge("boot_halted", "Whether the agent neither holds nor releases.", float(bool(told.halted)))
    yield gauge("boot_hold", "Whether a person stopped all releases.", float(bool(told.hold)))
    if told.released_at is not None:
        about = "When a boot was last let go."
        yield gauge("boot_released_timestamp_seconds", about, told.released_at)
    if told.unknown_since is not None:
        about = "Since when the pacing of boots does not see libvirt; no series while it does."
        yield gauge("boot_blind_since_timestamp_seconds", about, told.unknown_since)
    yield from _pools(told.pools)
    slowed = sum(1 for each in told.guests if each.slowed_iops)
    about = "Guests of managers under an I/O limit of the agent's own."
    yield gauge("boot_slowed", about, float(slowed))
    admissions = {(reason,): float(count) for reason, count in told.admissions.items()}
    yield counter("boot_admissions", "Boots that went on, by why they might.", admissions, "reason")
    yield counter("boot_timed_out", "Boots that did not settle in time.", float(told.timed_out))
    yield counter("boot_held_seconds", "Time that guests spent held, one by one.", told.held_seconds)
    yield histogram("boot_settle_seconds", "From a boot's release until it had settled.", told.settled)


def _pools(pools: tuple[PoolTold, ...]) -> Iterator[Metric]:
    targets = {(each.pool,): each.target_seconds for each in pools}
    known = {(each.pool,): each.latency_seconds for each in pools if each.latency_seconds is not None}
    for name, about, values in (
        ("limit", "How many guests of the storage pool may boot at once.", [each.limit for each in pools]),
        (
            "in_flight",
            "Boots that take a place of the limit now, those of managers too.",
            [each.booting for each in pools],
        ),
        ("queued", "Guests that wait for their boot or are held at it.", [each.queued for each in pools]),
    ):
        rows = {(each.pool,): float(value) for each, value in zip(pools, values, strict=True)}
        yield gauge(f"boot_{name}", about, rows, "pool")
    about = "The latency of the pool's requests, a moving average; none while nobody boots."
    yield gauge("boot_latency_seconds", about, known, "pool")
    yield gauge("boot_latency_target_seconds", "What it shall be at most.", targets, "pool")
