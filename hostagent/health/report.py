"""What the checks of one look said: the record that texts, JSON and exit codes are made of."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from hostagent.health.api import State

if TYPE_CHECKING:
    from hostagent.health.api import ObjectResult

SCHEMA = "hostagent.check/v1"

PRECEDENCE: tuple[State, ...] = (State.CRIT, State.UNKNOWN, State.WARN, State.OK)


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One check's verdict with what the runner adds. ``since`` is seconds since the epoch, or None."""

    code: str
    state: State
    summary: str
    objects: tuple[ObjectResult, ...] = ()
    fixable: bool = False
    duration_seconds: float = 0.0
    age_seconds: float = 0.0
    since: float | None = None
    muted: bool = False

    @property
    def runbook(self) -> str:
        """Where the check's page is, below docs/operate."""
        return f"runbooks/{self.code}.md"


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """All results. ``taken_at`` is seconds since the epoch; ``looks`` were taken in ``seconds``."""

    host: str
    taken_at: float
    results: tuple[Result, ...]
    looks: int = 1
    seconds: float = 0.0

    @property
    def status(self) -> State:
        """The worst state by UX's precedence; where every check was skipped nothing was read: unknown."""
        states = {State.OK if each.muted else each.state for each in self.results}
        return next((state for state in PRECEDENCE if state in states), State.UNKNOWN)

    def count(self) -> Counter[State]:
        """How many results there are of each state."""
        return Counter(each.state for each in self.results)

    def as_json(self) -> dict[str, Any]:
        """The document of docs/schema/check-v1.json."""
        return {
            "schema": SCHEMA,
            "host": self.host,
            "time": _iso(self.taken_at),
            "status": str(self.status),
            "checks": [_result_json(each) for each in self.results],
        }


def _result_json(result: Result) -> dict[str, Any]:
    return {
        "code": result.code,
        "state": str(result.state),
        "summary": result.summary,
        "objects": [{"id": each.id, "detail": each.detail} for each in result.objects],
        "since": None if result.since is None else _iso(result.since),
        "muted": result.muted,
        "age_s": round(result.age_seconds, 3),
        "duration_s": round(result.duration_seconds, 6),
        "fixable": result.fixable,
        "runbook": result.runbook,
    }


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, tz=UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
