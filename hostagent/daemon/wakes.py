"""What wakes the loop: events from the watchers' threads, requests, signals. They carry no decision."""

from __future__ import annotations

import threading
import time
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True, kw_only=True)
class Woken:
    """Why the loop woke, none for the clock alone; ``first`` is when the first event came (monotonic)."""

    reasons: frozenset[str]
    first: float


class Wakes:
    """Events since the loop took them last; safe from any thread and from signal handlers."""

    def __init__(self) -> None:
        self._event = threading.Event()
        self._pending: dict[str, float] = {}
        self._counts: Counter[str] = Counter()

    def wake(self, reason: str) -> None:
        """Wake the loop. No lock: a signal handler may have interrupted the very same call."""
        self._counts[reason] += 1
        self._pending.setdefault(reason, time.monotonic())
        self._event.set()

    @property
    def pending(self) -> bool:
        """Whether something has happened since the last ``take``."""
        return self._event.is_set()

    def wait(self, until: float) -> bool:
        """Whether something has happened by ``until``, in seconds of time.monotonic(); waits for that."""
        return self._event.wait(max(0.0, until - time.monotonic()))

    def take(self) -> Woken:
        """What has happened; from now on it counts as seen."""
        self._event.clear()
        # Cleared before it is read: an event in between is seen now and wakes once more, never lost.
        seen, self._pending = self._pending, {}
        return Woken(reasons=frozenset(seen), first=min(seen.values(), default=time.monotonic()))

    def counts(self) -> Mapping[str, int]:
        """How many events there were of each kind since the start."""
        return dict(self._counts)
