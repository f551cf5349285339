"""What libvirt's events say of a storm: who ran when, who was let go, and how many were new just then."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from tests.live.storm_watch import Event

# A place is free after 3 s at the earliest; events may be told late, but not by a second.
QUIET_AFTER_SECONDS, SURE_SECONDS = 3.0, 2.0
BRIEF_SECONDS = 1.5  # who ran no longer than this before it was held was not booting


@dataclass(slots=True, kw_only=True)
class Flight:
    """One guest: the spans of time in which it ran, each with whether it had been suspended before."""

    spans: list[tuple[float, float, bool]] = field(default_factory=list)
    since: float | None = None
    suspended: bool = False

    def begin(self, at: float) -> None:
        """It runs; at a start libvirt tells of a resume beside it, before or after."""
        if self.since is None:
            self.since = at

    def end(self, at: float, *, suspended: bool) -> None:
        """It does not run any more."""
        if self.since is not None:
            self.spans.append((self.since, at, self.suspended))
        self.since, self.suspended = None, suspended


def flights(events: Iterable[Event]) -> dict[str, Flight]:
    """Each guest's spans, in the order of time."""
    found: dict[str, Flight] = {}
    for event in events:
        flight = found.setdefault(event.name, Flight())
        if event.what in {"started", "resumed"}:
            flight.begin(event.at)
        elif event.what in {"suspended", "stopped"}:
            flight.end(event.at, suspended=event.what == "suspended")
    for flight in found.values():
        flight.end(float("inf"), suspended=False)
    return found


def releases(found: Mapping[str, Flight], *, but: Iterable[str] = ()) -> list[tuple[float, str]]:
    """When guests went on after they had been suspended; ``but`` are those that people resumed."""
    return sorted(
        (begin, name)
        for name, flight in found.items()
        if name not in set(but)
        for begin, _, suspended in flight.spans
        if suspended
    )


def crowded(found: Mapping[str, Flight], at: Sequence[tuple[float, str]], *, limit: int) -> list[str]:
    """At which releases the limit was used up already: by guests so new that each has its place."""
    wrong = []
    for moment, name in at:
        new = [
            other
            for other, flight in found.items()
            for begin, end, _ in flight.spans
            if other != name
            and moment - SURE_SECONDS < begin <= moment
            and end > moment
            and end - begin > BRIEF_SECONDS
        ]
        if len(new) >= limit:
            wrong.append(f"{name} went on at {moment:.1f} beside {', '.join(sorted(new))}, limit {limit}")
    return wrong
