"""A report in words, for a person."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from hostagent.cli.words import paint, printable, span
from hostagent.health.api import State
from hostagent.health.report import PRECEDENCE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from hostagent.health.report import Report, Result

_MOST_OBJECTS = 10  # of one check; --full prints all
_INDENT = " " * 9  # under the word of the state
_COUNTED = {
    State.CRIT: "crit",
    State.UNKNOWN: "unknown",
    State.WARN: "warn",
    State.OK: "ok",
    State.SKIP: "skipped",
}
PROBLEMS = (State.CRIT, State.UNKNOWN, State.WARN)


def status_line(report: Report, *, timed: bool = True) -> str:
    """The node's state in one line; not ``timed``, it changes only with the state."""
    status = report.status
    return f"{paint(status.upper(), status)} {printable(report.host)}: {summary(report, timed=timed)}"


def text(report: Report, *, full: bool, every: bool) -> str:
    """The status line, the problems with their objects, and what to type next."""
    results = in_order(report)
    lines = [status_line(report)]
    now = report.taken_at + (report.age_seconds or 0.0)
    if every:
        lines += _block(results, full=full, now=now)
    else:
        problems = [each for each in results if each.state in PROBLEMS]
        lines += _problems([each for each in problems if not each.muted], full=full, now=now)
        if muted := [each for each in problems if each.muted]:
            lines += ["", *_block(muted, full=full, now=now)]
    return "\n".join([*lines, *_next(results)]) + "\n"


def summary(report: Report, *, timed: bool = True) -> str:
    """How many checks say what, and, if ``timed``, how old that is."""
    counts = report.count()
    if not any(each.state in PRECEDENCE for each in report.results):
        reasons = dict.fromkeys(each.summary for each in report.results)
        return printable(f"nothing read: {'; '.join(reasons) or 'there is no check'}")
    said = [f"{counts[state]} {_COUNTED[state]}" for state in _COUNTED if counts[state]]
    if muted := sum(each.muted for each in report.results):
        said.append(f"{muted} muted")
    if not timed:
        return ", ".join(said)
    looks = f"{report.looks} look{'s' if report.looks > 1 else ''} in {report.seconds:.1f} s"
    if report.age_seconds is not None:
        looks = f"looked {span(report.age_seconds)} ago"
    return f"{', '.join(said)} ({looks})"


def in_order(report: Report) -> list[Result]:
    """The results, the worst first."""
    order = tuple(_COUNTED)
    return sorted(report.results, key=lambda each: (order.index(each.state), each.code))


def _problems(results: list[Result], *, full: bool, now: float) -> Iterator[str]:
    """Every problem, those without an answer for the same reason together."""
    alone = [each for each in results if each.state is not State.UNKNOWN or each.objects]
    for result in (each for each in alone if each.state is State.CRIT):
        yield from ("", *_block([result], full=full, now=now))
    unknown: dict[str, list[str]] = {}
    for result in results:
        if result not in alone:
            unknown.setdefault(result.summary, []).append(result.code)
    for reason, codes in unknown.items():
        yield ""
        yield f"{paint('UNKNOWN', State.UNKNOWN)}  {printable(reason)}"
        yield textwrap.fill(", ".join(codes), 100, initial_indent=_INDENT, subsequent_indent=_INDENT)
    for result in (each for each in alone if each.state is not State.CRIT):
        yield from ("", *_block([result], full=full, now=now))


def _block(results: list[Result], *, full: bool, now: float) -> Iterator[str]:
    width = max((len(each.code) for each in results), default=0)
    for result in results:
        word, color = ("MUTED", "skip") if result.muted else (result.state.upper(), result.state)
        label = paint(f"{word:<7}", color)
        yield f"{label}  {result.code:<{width}}  {printable(_words(result, now))}".rstrip()
        yield from _objects(result, full=full)


def _words(result: Result, now: float) -> str:
    """The summary, with what the label does not say."""
    state = f"{result.state}: " if result.muted else ""
    since = (
        "" if result.since is None or result.state not in PROBLEMS else f", for {span(now - result.since)}"
    )
    return f"{state}{result.summary}{since}"


def _objects(result: Result, *, full: bool) -> Iterator[str]:
    listed = result.objects if full else result.objects[:_MOST_OBJECTS]
    width = max((len(printable(each.id)) for each in listed), default=0)
    for each in listed:
        yield f"{_INDENT}{printable(each.id):<{width}}  {printable(each.detail)}"
    if left := len(result.objects) - len(listed):
        yield f"{_INDENT}and {left} more (--full prints all)"


def _next(results: Iterable[Result]) -> Iterator[str]:
    """What to type next, where there is something to do."""
    problems = [each for each in results if each.state in {State.CRIT, State.WARN} and not each.muted]
    if not problems:
        return
    lines = []
    if any(each.fixable for each in problems):
        lines.append("hostagent fix shows how these can be repaired, and changes nothing")
    lines.append(f"hostagent explain {problems[0].code} says what this means and what to look at")
    yield ""
    yield f"Next: {lines[0]}"
    yield from (f"      {line}" for line in lines[1:])
