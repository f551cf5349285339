"""Since when each check is in its state, as far as the agent has watched. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hostagent.health.report import Report


def with_since(previous: Report | None, report: Report) -> Report:
    """``report`` with ``since`` of every result: carried on while the state holds, else the look's time."""
    before = {} if previous is None else {each.code: each for each in previous.results}
    results = []
    for each in report.results:
        last = before.get(each.code)
        same = last is not None and last.state is each.state and last.since is not None
        results.append(replace(each, since=last.since if last is not None and same else report.taken_at))
    return replace(report, results=tuple(results))
