"""Boots in words: the state of pacing in one line, and single figures."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from hostagent.cli.words import paint, printable, span
from hostagent.model.boot import BootState
from hostagent.model.plain import plain

if TYPE_CHECKING:
    from hostagent.model.boot_told import BootsTold, GuestTold
    from hostagent.model.histogram import Histogram

SCHEMA = "hostagent.boot/v1"
_BAR = 10
_QUEUED = frozenset({BootState.WAITING, BootState.HELD})


class Pace(StrEnum):
    """What the agent does about boots now."""

    UNKNOWN = "unknown"
    OFF = "off"
    HALTED = "halted"
    HELD = "held"
    PACING = "pacing"
    IDLE = "idle"


_COLOR = {
    Pace.UNKNOWN: "unknown",
    Pace.OFF: "skip",
    Pace.HALTED: "warn",
    Pace.HELD: "warn",
    Pace.PACING: "ok",
    Pace.IDLE: "ok",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What the agent tells of boots; ``stale`` is why it can't be believed; ``now`` in epoch seconds."""

    told: BootsTold
    host: str
    now: float
    stale: str = ""

    def of(self, *states: BootState) -> tuple[GuestTold, ...]:
        """The boots in one of these states, in the agent's order."""
        return tuple(each for each in self.told.guests if each.state in states)

    @property
    def booting(self) -> tuple[GuestTold, ...]:
        """Boots in flight."""
        return self.of(BootState.BOOTING)

    @property
    def queued(self) -> tuple[GuestTold, ...]:
        """Those that wait for a release, next one first."""
        return self.of(*_QUEUED)

    @property
    def timed_out(self) -> tuple[GuestTold, ...]:
        """Those that timed out within the last hour."""
        return self.of(BootState.TIMED_OUT)

    @property
    def pace(self) -> Pace:
        """What the agent does about boots now."""
        told = self.told
        if self.stale or told.unknown_since is not None:
            return Pace.UNKNOWN
        if not told.enabled:
            return Pace.OFF
        if told.halted:
            return Pace.HALTED
        if told.hold:
            return Pace.HELD
        return Pace.PACING if self.booting or self.queued else Pace.IDLE


def status_line(seen: Seen) -> str:
    """The state, who is under way, and why nothing is held or released; it changes with these only."""
    counts = f"{len(seen.booting)} booting, {len(seen.queued)} queued"
    if held := len(seen.of(BootState.HELD)):
        counts += f" ({held} started and suspended)"
    if timed_out := len(seen.timed_out):
        counts += f", {timed_out} timed out within the hour"
    if why := _why(seen):
        counts += f"; {why}"
    return f"{paint(seen.pace.upper(), _COLOR[seen.pace])} {printable(f'boots of {seen.host}: {counts}')}"


def _why(seen: Seen) -> str:
    told = seen.told
    if seen.stale:
        return seen.stale
    if seen.pace is Pace.UNKNOWN:
        return "the agent can't see libvirt (hostagent status says why)"
    if seen.pace is Pace.OFF:
        return "nothing is paced: boot.enabled is false"
    if seen.pace is Pace.HALTED:
        return f"nothing is held or released: {told.halted}"
    if seen.pace is Pace.HELD:
        reason = f": {told.hold}" if told.hold else ""
        return f"nothing is released until hostagent boot resume{reason}"
    return ""


def milliseconds(seconds: float | None) -> str:
    """A latency."""
    if seconds is None:
        return "?"
    return f"{seconds:.2f} s" if seconds >= 1 else f"{seconds * 1000:.3g} ms"


def bar(latency: float | None, target: float) -> str:
    """The latency as a part of its target; "!" is what is too much."""
    if latency is None or target <= 0:
        return f"[{'?' * _BAR}]"
    cells = min(_BAR, round(latency / target * _BAR))
    drawn = "#" * cells
    return f"[{drawn.ljust(_BAR, '.')}]" if latency <= target else f"[{'#' * (_BAR - 1)}!]"


def within(histogram: Histogram, share: float) -> str:
    """A time within which so many of all observations were, as far as the buckets tell."""
    enough = share * histogram.count
    for least, count in zip(histogram.le, histogram.counts, strict=False):
        if count >= enough:
            return f"within {span(least)}"
    return f"in more than {span(histogram.le[-1])}"


def document(seen: Seen) -> dict[str, object]:
    """docs/schema/boot-v1.json."""
    told = plain(seen.told)
    return {
        "schema": SCHEMA,
        "host": seen.host,
        "state": str(seen.pace),
        "stale": seen.stale,
        **(told if isinstance(told, dict) else {}),
    }
