"""When each network is asked next. Pure: times are seconds of a monotonic clock, ``chance`` is from 0 to 1.

A network is asked once soon after it was first seen, then every so often, give or take a quarter. A failure
is followed by one renewal, which says what is broken. Never are two probes of a network, whoever made them,
nearer to each other than LEAST_SECONDS.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from math import inf
from typing import TYPE_CHECKING

from hostagent.model.dhcp import Layer, Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from hostagent.model.dhcp import ProbeReport, ProbeTarget

LEAST_SECONDS = 600.0
FIRST_SECONDS = 10.0
_ACTIVE = frozenset({Layer.UNICAST, Layer.RENEW})
_SAME_SECONDS = 1.0  # a report is a moment older than what is remembered of its making


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """A network's next probe. ``asked_at`` is its last one; ``diagnosed``: the failure had its renewal."""

    target: ProbeTarget
    due: float
    layer: Layer = Layer.UNICAST
    asked_at: float = -inf
    diagnosed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """Every network's turn, by network and server; ``every`` is how often one is asked, in seconds."""

    every: float
    turns: Mapping[tuple[str, str], Turn] = field(default_factory=dict)

    def soonest(self) -> Turn | None:
        """The turn that is due first."""
        return min(self.turns.values(), key=lambda each: each.due, default=None)

    def seen(
        self,
        targets: Iterable[ProbeTarget],
        reports: Iterable[ProbeReport],
        *,
        now: float,
        wall: float,
        chance: Callable[[], float],
    ) -> Schedule:
        """With these networks and no others; ``reports`` are anybody's, ``wall`` is their clock now."""
        last: dict[tuple[str, str], ProbeReport] = {}
        for each in sorted(reports, key=lambda each: each.at):
            if each.layer in _ACTIVE and each.outcome is not Outcome.SKIPPED and each.at <= wall:
                last[each.network, each.server] = each
        turns = {}
        for target in targets:
            key = target.network, target.server
            report = last.get(key)
            at = -inf if report is None else now - (wall - report.at)
            turns[key] = self._turn(target, report, at, now=now, chance=chance)
        return replace(self, turns=turns)

    def begun(self, turn: Turn, *, now: float) -> Schedule:
        """A probe begins: whatever comes of it, the network has had its turn."""
        key = turn.target.network, turn.target.server
        asked = replace(turn, asked_at=now, due=now + LEAST_SECONDS)
        return replace(self, turns={**self.turns, key: asked})

    def told(self, report: ProbeReport, *, now: float, chance: Callable[[], float]) -> Schedule:
        """After the probe that ``report`` is of."""
        key = report.network, report.server
        turn = self.turns.get(key)
        if turn is None:
            return self
        return replace(self, turns={**self.turns, key: self._after(turn, report, now, chance)})

    def _turn(
        self,
        target: ProbeTarget,
        report: ProbeReport | None,
        at: float,
        *,
        now: float,
        chance: Callable[[], float],
    ) -> Turn:
        before = self.turns.get((target.network, target.server))
        same = before is not None and before.target.server_pid == target.server_pid
        if before is not None and same and at <= before.asked_at + _SAME_SECONDS:
            return replace(before, target=target)
        asked_at = max(at, -inf if before is None else before.asked_at)
        soon = max(now + FIRST_SECONDS * chance(), asked_at + LEAST_SECONDS)
        fresh = Turn(target=target, due=soon, asked_at=asked_at)
        if report is None or report.server_pid not in {None, target.server_pid}:
            return fresh
        diagnosed = same and before is not None and before.diagnosed
        after = self._after(replace(fresh, diagnosed=diagnosed), report, at, chance)
        return replace(after, due=max(after.due, soon))

    def _after(self, turn: Turn, report: ProbeReport, at: float, chance: Callable[[], float]) -> Turn:
        fine = report.outcome is Outcome.OK
        failed = not fine and report.outcome is not Outcome.SKIPPED
        diagnosed = not fine and (turn.diagnosed or report.layer is Layer.RENEW)
        if failed and not diagnosed:
            due = at + LEAST_SECONDS * (1 + chance() / 4)
            return replace(turn, due=due, layer=Layer.RENEW, asked_at=at)
        due = at + max(LEAST_SECONDS, self.every * (0.75 + chance() / 2))
        return replace(turn, due=due, layer=Layer.UNICAST, asked_at=at, diagnosed=diagnosed)
