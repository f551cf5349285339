"""A report in words: for a person, and for a monitoring system that runs plugins."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from hostagent.cli.words import paint, printable
from hostagent.health.api import State
from hostagent.health.report import PRECEDENCE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from hostagent.health.report import Report, Result

_MOST_OBJECTS = 10  # of one check; --full prints all
_INDENT = " " * 9  # under the word of the state
_NAGIOS = {State.OK: "OK", State.WARN: "WARNING", State.CRIT: "CRITICAL", State.UNKNOWN: "UNKNOWN"}
_COUNTED = {
    State.CRIT: "crit",
    State.UNKNOWN: "unknown",
    State.WARN: "warn",
    State.OK: "ok",
    State.SKIP: "skipped",
}
_PROBLEMS = (State.CRIT, State.UNKNOWN, State.WARN)


def status_line(report: Report) -> str:
    """The node's state in one line."""
    status = report.status
    return f"{paint(status.upper(), status)} {printable(report.host)}: {_summary(report)}"


def text(report: Report, *, full: bool, every: bool) -> str:
    """The status line, the problems with their objects, and what to type next."""
    results = _sorted(report)
    lines = [status_line(report)]
    if every:
        lines += _block(results, full=full)
    else:
        lines += _problems([each for each in results if each.state in _PROBLEMS], full=full)
    return "\n".join([*lines, *_next(results)]) + "\n"


def nagios(report: Report) -> str:
    """One line with performance data, then each problem (Monitoring Plugins guidelines, 2.2)."""
    results = _sorted(report)
    worst = [each for each in results if each.state is report.status and each.state in _PROBLEMS]
    words = ", ".join(f"{each.code}: {each.summary}" for each in worst[:3])
    more = f", and {len(worst) - 3} more" if len(worst) > 3 else ""
    counts = report.count()
    figures = " ".join(f"{state}={counts[state]}" for state in (*PRECEDENCE, State.SKIP))
    first = f"{_NAGIOS[report.status]} - {_plain(words + more or _summary(report))}"
    lines = [f"{first} | {figures} time={report.seconds:.2f}s"]
    for result in results:
        if result.state in _PROBLEMS:
            lines.append(f"{_NAGIOS[result.state]} {result.code}: {_plain(result.summary)}")
            lines += [f"  {_plain(each.id)}: {_plain(each.detail)}" for each in result.objects]
    return "\n".join(lines) + "\n"


def _plain(words: str) -> str:
    # "|" begins performance data wherever it stands, and no escape for it exists.
    return printable(words).replace("|", "/")


def _summary(report: Report) -> str:
    counts = report.count()
    if not any(counts[state] for state in PRECEDENCE):
        reasons = dict.fromkeys(each.summary for each in report.results)
        return printable(f"nothing read: {'; '.join(reasons) or 'there is no check'}")
    said = [f"{counts[state]} {_COUNTED[state]}" for state in _COUNTED if counts[state]]
    looks = f"{report.looks} look{'s' if report.looks > 1 else ''} in {report.seconds:.1f} s"
    return f"{', '.join(said)} ({looks})"


def _sorted(report: Report) -> list[Result]:
    order = tuple(_COUNTED)
    return sorted(report.results, key=lambda each: (order.index(each.state), each.code))


def _problems(results: list[Result], *, full: bool) -> Iterator[str]:
    """Every problem, those without an answer for the same reason together."""
    alone = [each for each in results if each.state is not State.UNKNOWN or each.objects]
    for result in (each for each in alone if each.state is State.CRIT):
        yield from ("", *_block([result], full=full))
    unknown: dict[str, list[str]] = {}
    for result in results:
        if result not in alone:
            unknown.setdefault(result.summary, []).append(result.code)
    for reason, codes in unknown.items():
        yield ""
        yield f"{paint('UNKNOWN', State.UNKNOWN)}  {printable(reason)}"
        yield textwrap.fill(", ".join(codes), 100, initial_indent=_INDENT, subsequent_indent=_INDENT)
    for result in (each for each in alone if each.state is not State.CRIT):
        yield from ("", *_block([result], full=full))


def _block(results: list[Result], *, full: bool) -> Iterator[str]:
    width = max((len(each.code) for each in results), default=0)
    for result in results:
        label = paint(f"{result.state.upper():<7}", result.state)
        yield f"{label}  {result.code:<{width}}  {printable(result.summary)}".rstrip()
        yield from _objects(result, full=full)


def _objects(result: Result, *, full: bool) -> Iterator[str]:
    listed = result.objects if full else result.objects[:_MOST_OBJECTS]
    width = max((len(printable(each.id)) for each in listed), default=0)
    for each in listed:
        yield f"{_INDENT}{printable(each.id):<{width}}  {printable(each.detail)}"
    if left := len(result.objects) - len(listed):
        yield f"{_INDENT}and {left} more (--full prints all)"


def _next(results: Iterable[Result]) -> Iterator[str]:
    """What to type next, where there is something to do."""
    problems = [each for each in results if each.state in {State.CRIT, State.WARN}]
    if not problems:
        return
    lines = []
    if any(each.fixable for each in problems):
        lines.append("hostagent fix shows how these can be repaired, and changes nothing")
    lines.append(f"hostagent explain {problems[0].code} says what this means and what to look at")
    yield ""
    yield f"Next: {lines[0]}"
    yield from (f"      {line}" for line in lines[1:])
