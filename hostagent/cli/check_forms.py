"""A report for machines: monitoring plugins, Checkmk, JSON by the line."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from hostagent.cli.check_text import PROBLEMS, in_order, summary
from hostagent.cli.words import printable
from hostagent.health.api import State
from hostagent.health.report import PRECEDENCE

if TYPE_CHECKING:
    from hostagent.health.report import Report, Result

_NAGIOS = {State.OK: "OK", State.WARN: "WARNING", State.CRIT: "CRITICAL", State.UNKNOWN: "UNKNOWN"}
_CHECKMK = {State.OK: 0, State.WARN: 1, State.CRIT: 2, State.UNKNOWN: 3, State.SKIP: 0}


def nagios(report: Report) -> str:
    """One line with performance data, then each problem (Monitoring Plugins guidelines, 2.2)."""
    results = in_order(report)
    problems = [each for each in results if each.state in PROBLEMS and not each.muted]
    worst = [each for each in problems if each.state is report.status]
    words = ", ".join(f"{each.code}: {each.summary}" for each in worst[:3])
    more = f", and {len(worst) - 3} more" if len(worst) > 3 else ""
    counts = report.count()
    figures = " ".join(f"{state}={counts[state]}" for state in (*PRECEDENCE, State.SKIP))
    age = "" if report.age_seconds is None else f" age={report.age_seconds:.0f}s"
    first = f"{_NAGIOS[report.status]} - {_no_bar(words + more or summary(report))}"
    lines = [f"{first} | {figures} time={report.seconds:.2f}s{age}"]
    for result in problems:
        lines.append(f"{_NAGIOS[result.state]} {result.code}: {_no_bar(result.summary)}")
        lines += [f"  {_no_bar(each.id)}: {_no_bar(each.detail)}" for each in result.objects]
    return "\n".join(lines) + "\n"


def checkmk(report: Report) -> str:
    """One service for the node and one for each check (Checkmk, local checks)."""
    lines = [f"{_CHECKMK[report.status]} hostagent - {_checkmk_words(summary(report))}"]
    return "\n".join([*lines, *(_service(each) for each in in_order(report))]) + "\n"


def jsonl(report: Report) -> str:
    """One line for each check: the check of the schema, with the node and the time."""
    document = report.as_json()
    head = {key: document[key] for key in ("schema", "host", "time")}
    lines = (json.dumps({**head, **each}).replace("\x7f", "\\u007f") for each in document["checks"])
    return "".join(f"{line}\n" for line in lines)


def _service(result: Result) -> str:
    muted = f"muted, {result.state}: " if result.muted else "skipped: " if result.state is State.SKIP else ""
    lines = [f"{muted}{result.summary}", *(f"{each.id}: {each.detail}" for each in result.objects)]
    words = "\\n".join(map(_checkmk_words, lines))  # Checkmk's own sign for a new line
    state = 0 if result.muted else _CHECKMK[result.state]
    return f"{state} hostagent_{result.code} objects={len(result.objects)} {words}"


def _checkmk_words(words: str) -> str:
    return printable(words.replace("\\", "/"))


def _no_bar(words: str) -> str:
    # "|" begins performance data wherever it stands, and no escape for it exists.
    return printable(words).replace("|", "/")
