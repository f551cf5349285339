"""Mutes: which results shall not alert, and when a mute is over. Pure; `ceph health mute` is the model.

A mute ends with its time. Unless it is sticky it also lapses when what it silences clears, or gets worse than
it was when it was muted: a worse state, or more objects where the whole check is muted. A result that is
unknown or skipped proves neither, so the mute waits; an unknown one alerts all the same where only a warning
was muted.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from hostagent.health.api import State

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hostagent.health.report import Report, Result
    from hostagent.model.published import Mute

_RANK = {str(state): rank for rank, state in enumerate((State.OK, State.WARN, State.UNKNOWN, State.CRIT))}
_PROVES_NOTHING = frozenset({State.UNKNOWN, State.SKIP})


def marked(report: Report, mutes: Iterable[Mute], *, now: float) -> Report:
    """The report with ``muted`` set as ``mutes`` say; nothing else is changed and nothing lapses."""
    mutes = tuple(mutes)
    return replace(
        report, results=tuple(replace(each, muted=_muted(each, mutes, now)) for each in report.results)
    )


def left(mutes: Iterable[Mute], report: Report, *, now: float) -> tuple[Mute, ...]:
    """The mutes that are not over after this report. A code that it does not hold proves nothing."""
    results = {each.code: each for each in report.results}
    return tuple(each for each in mutes if not _over(each, results.get(each.code), now))


def refusal(result: Result | None, code: str, object_id: str, *, sticky: bool) -> str:
    """Why this can't be muted now, in one line, or "". What is not raised can only be muted sticky."""
    if result is None:
        return f"no check is called {code} (hostagent checks list shows them)"
    if sticky or _raised(result, object_id):
        return ""
    if object_id and result.state not in {State.OK, State.SKIP}:
        where = f"hostagent check --full {code} lists them; --sticky mutes it anyway"
        return f"{code} has no object {object_id} now ({where})"
    return f"{code} is {result.state}: there is nothing to mute (--sticky mutes it for when it comes)"


def worse(mute: Mute, result: Result) -> bool:
    """Whether the result is worse than when it was muted."""
    if _RANK.get(result.state, 0) > _RANK.get(mute.state, 0):
        return True
    return not mute.object and len(result.objects) > mute.objects


def _muted(result: Result, mutes: tuple[Mute, ...], now: float) -> bool:
    if result.state in {State.OK, State.SKIP}:
        return False
    active = [
        each
        for each in mutes
        if each.code == result.code and now < each.until and (each.sticky or not worse(each, result))
    ]
    if any(not each.object for each in active):
        return True
    objects = {each.object for each in active}
    return bool(result.objects) and all(each.id in objects for each in result.objects)


def _over(mute: Mute, result: Result | None, now: float) -> bool:
    if now >= mute.until:
        return True
    if mute.sticky or result is None or result.state in _PROVES_NOTHING:
        return False
    return worse(mute, result) or not _raised(result, mute.object)


def _raised(result: Result, object_id: str) -> bool:
    if result.state in {State.OK, State.SKIP}:
        return False
    return not object_id or any(each.id == object_id for each in result.objects)
