"""hostagent check: what the agent saw last, with its age, and never as fresh when it is not."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from hostagent.cli.asking import ask_published
from hostagent.cli.words import span
from hostagent.errors import SourceError
from hostagent.health.api import State
from hostagent.health.report import Report, Result

if TYPE_CHECKING:
    from collections.abc import Collection

    from hostagent.config import Settings
    from hostagent.model.published import Published

_LONGEST_LOOK_SECONDS = 15.0  # the agent's own limit
_MARGIN_SECONDS = 0.5  # for its answer that it has not looked
_SKEW_SECONDS = 2.0  # a time that lies further ahead is no rounding, the clock was set back
_NOT_KNOWN = "the agent does not know this check (systemctl restart hostagent loads it)"


def read_agent(settings: Settings, codes: Collection[str], *, timeout: float, new_look: bool) -> Report:
    """The agent's report, of ``codes`` only if any are given; with ``new_look`` it looks first.

    Raises:
        SourceError: no agent, no permission, no answer in time.
    """
    patience = max(0.1, min(timeout - _MARGIN_SECONDS, _LONGEST_LOOK_SECONDS)) if new_look else 0.0
    published = ask_published(settings, timeout=timeout, look_seconds=patience)
    try:
        report = Report.from_json(published.report)
    except ValueError as error:
        raise SourceError(
            f"the agent's report can't be understood: {error} (is it of another version?)"
        ) from error
    return aged(_only(report, codes), published, now=time.time())


def why_stale(published: Published, *, now: float) -> str:
    """Why what the agent tells can't be believed any more, or ""."""
    age, most = now - published.taken_at, published.fresh_seconds
    if age < -_SKEW_SECONDS:
        return (
            "the agent's last look lies in the future: the clock was set back (systemctl restart hostagent)"
        )
    if age > most:
        return f"stale: the agent looked {span(age)} ago, more than {span(most)} (systemctl status hostagent)"
    return ""


def aged(report: Report, published: Published, *, now: float) -> Report:
    """The report with its age; of a stale one nothing is known now, whatever it says."""
    age = max(0.0, now - published.taken_at)
    stale = why_stale(published, now=now)
    results = tuple(replace(each, age_seconds=age) for each in report.results)
    if stale:
        results = tuple(_stale(each, stale) for each in results)
    return replace(
        report,
        results=results,
        taken_at=published.taken_at,
        looks=published.looks,
        seconds=published.look_seconds,
        age_seconds=age,
    )


def _stale(result: Result, why: str) -> Result:
    if result.state in {State.OK, State.SKIP}:
        return replace(result, state=State.UNKNOWN, summary=why, objects=(), since=None)
    words = f"stale, it was {result.state}: {result.summary}"
    return replace(result, state=State.UNKNOWN, summary=words, since=None, muted=False)


def _only(report: Report, codes: Collection[str]) -> Report:
    if not codes:
        return report
    found = {each.code: each for each in report.results}
    results = (
        found.get(code) or Result(code=code, state=State.UNKNOWN, summary=_NOT_KNOWN) for code in codes
    )
    return replace(report, results=tuple(results))
