"""The log's lines: one for each change of state, none per cycle. Pure: two states in, lines out."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from hostagent.health.api import State

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from hostagent.health.report import Report
    from hostagent.model.published import Hold, SourceHealth

_LEVELS = {State.CRIT: logging.ERROR, State.WARN: logging.WARNING, State.UNKNOWN: logging.WARNING}
_MOST_OBJECTS = 5


def of_checks(before: Report | None, after: Report) -> Iterator[tuple[int, str]]:
    """Checks whose state is another, or whose objects are, with the level of the line."""
    old = {} if before is None else {each.code: each for each in before.results}
    for result in after.results:
        earlier = old.get(result.code)
        quiet = result.state in {State.OK, State.SKIP}
        if earlier is None and quiet:
            continue
        ids = [each.id for each in result.objects]
        if earlier is not None and earlier.state is result.state:
            if quiet or sorted(each.id for each in earlier.objects) == sorted(ids):
                continue
        elif earlier is not None and quiet and earlier.state in {State.OK, State.SKIP}:
            continue
        shown = ", ".join(ids[:_MOST_OBJECTS]) + (", …" if len(ids) > _MOST_OBJECTS else "")
        words = f"{result.code} {result.state}: {result.summary}"
        yield _LEVELS.get(result.state, logging.INFO), f"{words} ({shown})" if shown and not quiet else words


def of_sources(before: Sequence[SourceHealth], after: Sequence[SourceHealth]) -> Iterator[tuple[int, str]]:
    """Sources that can't be read any more, or can again. What is absent from this host is no news."""
    old = {each.section: each.trouble for each in before}
    for each in after:
        earlier = old.get(each.section, "")
        if each.trouble == earlier or {each.trouble, earlier} <= {"", "absent", "not asked"}:
            continue
        if each.trouble in {"", "absent"}:
            yield logging.INFO, f"source {each.section} can be read again"
        else:
            yield logging.ERROR, f"source {each.section} {each.trouble}: {each.reason}"


def of_holds(before: Sequence[Hold], after: Sequence[Hold]) -> Iterator[tuple[int, str]]:
    """What keeps the agent from acting, when it begins and when it ends."""
    for hold in after:
        if (hold.kind, hold.reason) not in {(each.kind, each.reason) for each in before}:
            level = logging.ERROR if hold.kind == "latched" else logging.WARNING
            yield level, f"not acting from now on: {hold.kind}: {hold.reason}"
    for hold in before:
        if hold.kind not in {each.kind for each in after}:
            yield logging.INFO, f"no longer {hold.kind}" + ("" if after else ": acting again")
