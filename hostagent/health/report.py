"""What the checks of one look said: the record that texts, JSON and exit codes are made of."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from hostagent.health.api import ObjectResult, State

if TYPE_CHECKING:
    from collections.abc import Mapping

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
    """All results. ``taken_at`` is seconds since the epoch; ``looks`` were taken in ``seconds``.

    ``age_seconds`` is how long ago the agent looked; None when this process has looked itself.
    """

    host: str
    taken_at: float
    results: tuple[Result, ...]
    looks: int = 1
    seconds: float = 0.0
    age_seconds: float | None = None

    @property
    def status(self) -> State:
        """The worst state by UX's precedence; where every check was skipped nothing was read: unknown."""
        states = {State.OK if each.muted else each.state for each in self.results}
        return next((state for state in PRECEDENCE if state in states), State.UNKNOWN)

    def count(self) -> Counter[State]:
        """How many results there are of each state, without the muted ones."""
        return Counter(each.state for each in self.results if not each.muted)

    def as_json(self) -> dict[str, Any]:
        """The document of docs/schema/check-v1.json."""
        return {
            "schema": SCHEMA,
            "host": self.host,
            "time": _iso(self.taken_at),
            "status": str(self.status),
            "checks": [_result_json(each) for each in self.results],
        }

    @classmethod
    def from_json(cls, document: object) -> Report:
        """The report that ``as_json`` gave; what a later version has added is left out.

        Raises:
            ValueError: naming what is missing or of another type, in one line.
        """
        table = _table(document, "the report")
        if table.get("schema") != SCHEMA:
            raise ValueError(f"the report is no {SCHEMA}, but {table.get('schema')!r:.60}")
        return cls(
            host=_take(table, "host", str),
            taken_at=_seconds(_take(table, "time", str)),
            results=tuple(_result(_table(each, "a check")) for each in _take(table, "checks", list)),
        )


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


def _result(table: Mapping[str, Any]) -> Result:
    state, since = _take(table, "state", str), table.get("since")
    if state not in list(State):
        raise ValueError(f"{state!r:.60} is no state")
    objects = (_table(each, "an object") for each in _take(table, "objects", list))
    return Result(
        code=_take(table, "code", str),
        state=State(state),
        summary=_take(table, "summary", str),
        objects=tuple(
            ObjectResult(id=_take(each, "id", str), detail=_take(each, "detail", str)) for each in objects
        ),
        fixable=_take(table, "fixable", bool),
        duration_seconds=float(_take(table, "duration_s", int, float)),
        age_seconds=float(_take(table, "age_s", int, float)),
        since=None if since is None else _seconds(_take(table, "since", str)),
        muted=_take(table, "muted", bool),
    )


def _table(value: object, name: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError(f"{name} is no table, but {value!r:.60}")  # noqa: TRY004  one error for all that may be wrong
    return value


def _take(table: Mapping[str, Any], key: str, *kinds: type) -> Any:  # noqa: ANN401  one of the kinds
    if type(table.get(key)) not in kinds:  # bool is an int to isinstance
        raise ValueError(f"{key} is {'missing' if key not in table else f'{table[key]!r:.60}'}")
    return table[key]


def _seconds(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()
