"""What fix has found, planned and done: one record, its exit code, as text and as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from hostagent.act.history import Did
from hostagent.cli.session import EXIT_OK, EXIT_PARTIAL, EXIT_PENDING, EXIT_REFUSED
from hostagent.cli.words import paint, printable
from hostagent.model.plan import StepKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hostagent.act.outcome import Outcome
    from hostagent.model.plan import Plan, Step, Unknown, Value

SCHEMA = "hostagent.fix/v1"
_WORDS = {EXIT_PENDING: "pending", EXIT_PARTIAL: "partial", EXIT_REFUSED: "refused"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fixed:
    """One run of fix, restricted to the codes ``asked``.

    ``recovered`` says what was ended of runs that had died; ``unjudged`` are codes that could not be
    looked for; ``left_out``: some steps lacked consent.
    """

    host: str
    taken_at: float
    plan: Plan
    asked: frozenset[str] = frozenset()
    unjudged: Mapping[str, Unknown] = field(default_factory=dict)
    left_out: bool = False
    recovered: tuple[str, ...] = ()
    outcome: Outcome | None = None

    @property
    def exit_code(self) -> int:
        """UX's: 0 done or nothing to do, 10 pending, 11 partial, 12 refused or nothing could be known."""
        if self.plan.refused:
            return EXIT_REFUSED
        if self.outcome is not None:
            if self.outcome.nothing_done:
                return EXIT_REFUSED
            return EXIT_OK if self.outcome.done and not self.left_out else EXIT_PARTIAL
        if self.left_out or (not self.plan.steps and self.unjudged):
            return EXIT_REFUSED
        return EXIT_PENDING if self.plan.steps else EXIT_OK

    @property
    def status(self) -> str:
        """The exit code in a word."""
        return _WORDS.get(self.exit_code, "done" if self.outcome is not None else "nothing to do")


def as_json(fixed: Fixed) -> dict[str, Any]:
    """The plan and what became of it."""
    outcome = fixed.outcome
    results = {} if outcome is None else {(r.kind, r.object): r for r in outcome.results}
    steps = []
    for step in fixed.plan.steps:
        result = results.get((str(step.kind), step.object))
        steps.append(
            {
                "kind": str(step.kind),
                "object": step.object,
                "codes": list(step.codes),
                "reason": step.reason,
                "bridge": step.bridge,
                "target_bridge": step.target_bridge,
                "changes": [
                    {"path": c.path, "old": _plain(c.old), "new": _plain(c.new)} for c in step.changes
                ],
                "undo": step.undo,
                "on_request": step.on_request,
                "id": None if result is None else result.id,
                "state": "planned" if result is None else str(result.state),
                "detail": "" if result is None else result.reason,
            }
        )
    return {
        "schema": SCHEMA,
        "host": fixed.host,
        "time": datetime.fromtimestamp(fixed.taken_at, tz=UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "status": fixed.status,
        "run": None if outcome is None or not outcome.run else outcome.run,
        "refused": fixed.plan.refused,
        "steps": steps,
        "held": [{"code": h.code, "object": h.object, "reason": h.reason} for h in fixed.plan.held],
        "unjudged": [{"code": code, "reason": each.reason} for code, each in fixed.unjudged.items()],
        "recovered": list(fixed.recovered),
    }


def as_text(fixed: Fixed) -> str:
    """The plan or the results, what is left alone and why, and what to type next."""
    lines = [f"recovered: {printable(line)}" for line in fixed.recovered]
    if fixed.outcome is not None:
        lines += _results(fixed.outcome)
    else:
        for number, step in enumerate(fixed.plan.steps, 1):
            lines += _step(number, step)
    lines += [f"held  {printable(h.object)}  {h.code}: {printable(h.reason)}" for h in fixed.plan.held]
    if not fixed.plan.refused:
        lines += _unjudged(fixed)
    return "\n".join([*lines, *([""] if lines else []), _conclusion(fixed)]) + "\n"


def _step(number: int, step: Step) -> Iterator[str]:
    head = f"{number}. {step.kind} {printable(step.object)}"
    if step.target_bridge and step.target_bridge != step.bridge:
        head += f"  {printable(step.bridge)} → {printable(step.target_bridge)}"
    yield f"{paint(head, 'bold')}  ({', '.join(step.codes)})"
    yield f"   why:   {printable(step.reason)}"
    if step.kind is StepKind.READD_PORT:
        yield "   how:   deleted, and added again with every column once ovs-vswitchd has let go of it"
    for change in step.changes:
        yield f"   {change.path}: {value_words(change.old)} → {value_words(change.new)}"
    if step.limit:
        words = ", ".join(f"{key} {value}" for key, value in sorted(step.limit.items()))
        yield f"   Port.qos: → new QoS ({printable(words)})"
    for name, rows in (("QoS", step.qos), ("queue", step.queues)):
        if rows and name.lower() not in str(step.kind).lower():
            yield f"   {name} rows: {', '.join(rows)} → deleted"
    if step.on_request:
        yield "   asks:  made on request only; --apply asks for your consent"
    yield f"   undo:  {step.undo}"


def _results(outcome: Outcome) -> Iterator[str]:
    for each in outcome.results:
        kind = "ok" if each.state is Did.DONE else "warn" if each.state is Did.DROPPED else "crit"
        because = f": {printable(each.reason)}" if each.reason else ""
        yield f"{paint(f'{each.state:<8}', kind)}  {each.kind} {printable(each.object)}{because}"


def _unjudged(fixed: Fixed) -> Iterator[str]:
    """What could not be looked for, those codes with the same reason together."""
    codes: dict[str, list[str]] = {}
    for code, each in fixed.unjudged.items():
        codes.setdefault(each.reason, []).append(code)
    for reason, those in codes.items():
        yield f"not judged  {', '.join(those)}: {printable(reason)}"


def _conclusion(fixed: Fixed) -> str:
    steps, count = fixed.plan.steps, len(fixed.plan.steps)
    if fixed.plan.refused:
        return f"Refused: {printable(fixed.plan.refused)}"
    if fixed.outcome is not None:
        done = sum(each.state is Did.DONE for each in fixed.outcome.results)
        undo = f" Take it back: hostagent undo {fixed.outcome.run}" if done and fixed.outcome.run else ""
        left = " The held ones were left out." if fixed.left_out else ""
        return f"{done} of {len(fixed.outcome.results)} steps done and verified.{left}{undo}"
    if fixed.left_out:
        return "Refused: nothing was done."
    if not steps:
        blind = "Nothing was found to do, but not everything could be looked at."
        return blind if fixed.unjudged else "Nothing to do."
    command = " ".join(("hostagent fix", *sorted(fixed.asked), "--apply"))
    return f"{count} step{'s' if count > 1 else ''} planned, nothing changed. Carry out: {command}"


def value_words(value: Value) -> str:
    """A column's value for a person: "none" where it is unset."""
    if isinstance(value, Mapping):
        return printable(", ".join(f"{key}={word}" for key, word in sorted(value.items()))) or "none"
    if isinstance(value, tuple):
        return ",".join(str(each) for each in value) or "none"
    return "none" if value is None else printable(str(value))


def _plain(value: Value) -> object:
    if isinstance(value, Mapping):
        return dict(value)
    return list(value) if isinstance(value, tuple) else value
