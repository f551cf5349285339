"""Guests that pacing has suspended or slowed, as state_dir/held.json keeps them."""

from __future__ import annotations

from dataclasses import dataclass

HELD, SLOWED = "held", "slowed"  # what was done to a guest, and has to be taken back
KINDS = frozenset({HELD, SLOWED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """One guest, by its UUID; ``id`` is libvirt's id of the run that was meant, in the boot ``boot_id``.

    ``since`` is seconds since the epoch. ``requests`` (I/Os) and ``vcpu_seconds`` are its counters *after* it
    was suspended, None until they were read: what is counted later shows that somebody let it run. ``iops``
    is the limit that a slowed guest was given on ``disks``; on all of them where that is empty, for then
    nobody lived to tell which.
    """

    uuid: str
    name: str
    id: int
    boot_id: str
    since: float
    reason: str
    kind: str = HELD
    requests: int | None = None
    vcpu_seconds: float | None = None
    disks: tuple[str, ...] = ()
    iops: int = 0
