"""What the pacer's thread keeps from one round to the next."""

from __future__ import annotations

import logging
import os
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from hostagent.daemon.boots.runs import Runs
from hostagent.decide.boot.limit import first, most
from hostagent.errors import JournalError
from hostagent.model.boot import NODE_POOL
from hostagent.model.boot_guests import Pool
from hostagent.model.boot_told import SETTLE_BUCKETS
from hostagent.model.histogram import Histogram

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from hostagent.act.boot.held import HeldList
    from hostagent.config import Pacing, Settings
    from hostagent.daemon.boots.runs import Run
    from hostagent.model.boot import LimitState, PoolRead
    from hostagent.model.boot_guests import BootGuest

_LOG = logging.getLogger("hostagent")


@dataclass(slots=True, kw_only=True)
class State:
    """``guests`` are the last looks at all domains; ``reads`` the last read of each pool's counters.

    ``hold`` is why a person stopped all releases, ``halted`` why the agent may do nothing now, both "" where
    there is no reason; ``begun``: all domains were looked at once. ``leases`` are the latest expiry of each
    MAC's lease. Times are monotonic seconds, ``released_at`` and ``unknown_since`` epoch seconds.
    """

    settings: Settings
    held: HeldList
    boot_id: str
    runs: Runs = field(default_factory=Runs)
    guests: dict[str, BootGuest] = field(default_factory=dict)
    limits: dict[str, LimitState] = field(default_factory=dict)
    pools: dict[str, Pool] = field(default_factory=dict)
    reads: Mapping[str, PoolRead] = field(default_factory=dict)
    leases: dict[str, float] = field(default_factory=dict)
    hold: str = ""
    halted: str = ""
    begun: bool = False
    unknown_since: float | None = None
    released_at: float | None = None
    timed_out: int = 0
    held_seconds: float = 0.0
    settled: Histogram = field(
        default_factory=lambda: Histogram(le=SETTLE_BUCKETS, counts=(0,) * len(SETTLE_BUCKETS))
    )

    @property
    def pacing(self) -> Pacing:
        """The table [boot]."""
        return self.settings.boot

    def know(self, pools: Iterable[Pool]) -> None:
        """See to it that each pool, and the node's own, has a limit."""
        for pool in (Pool(name=NODE_POOL), *pools):
            if pool.name not in self.pools:
                self.pools[pool.name] = pool
            fresh = first(pool.kind, pacing=self.pacing, cores=cores())
            known = self.limits.get(pool.name)
            self.limits[pool.name] = fresh if known is None else self._bounded(known, fresh)

    def _bounded(self, known: LimitState, fresh: LimitState) -> LimitState:
        """A limit of before, as the settings of now allow it."""
        highest = most(self.pacing, cores=cores())
        limit = min(max(known.limit, self.pacing.least_limit), highest)
        return replace(known, limit=limit, target_seconds=fresh.target_seconds)

    def has_settled(self, run: Run, seconds: float) -> None:
        """Count a boot that went well."""
        old = self.settled
        counts = tuple(count + (seconds <= le) for le, count in zip(old.le, old.counts, strict=True))
        self.settled = replace(old, counts=counts, sum=old.sum + seconds, count=old.count + 1)
        typical = self.runs.typical
        self.runs.typical = seconds if typical is None else 0.8 * typical + 0.2 * seconds
        self.runs.settle(run.guest)

    def drop(self, *uuids: str) -> None:
        """Take guests off the held list; a disk that does not take it is said: the entries do no harm."""
        try:
            self.held.drop(*uuids)
        except JournalError as error:
            _LOG.warning("%s", error)

    def unseen(self) -> None:
        """libvirt does not answer."""
        if self.unknown_since is None:
            self.unknown_since = time.time()


def cores() -> int:
    """Logical processors that this process may use."""
    return len(os.sched_getaffinity(0))
