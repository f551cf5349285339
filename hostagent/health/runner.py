"""Runs checks over one Context: adds durations, turns a check's own failure into a result."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from hostagent.errors import CheckError
from hostagent.health.api import State
from hostagent.health.loader import Checks
from hostagent.health.report import Report, Result

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hostagent.health.api import Check, Context


def select(checks: Checks, names: Iterable[str]) -> Checks:
    """What ``names`` mean, each a code or a group in any case; all of ``checks`` without names.

    Raises:
        CheckError: a name is neither.
    """
    wanted = frozenset(names)
    if not wanted:
        return checks
    codes, groups = {name.upper() for name in wanted}, {name.lower() for name in wanted}
    known = {*checks.by_code, *(each.code for each in checks.refused)}
    for name in sorted(wanted):
        if name.upper() not in known and name.lower() not in checks.groups():
            raise CheckError(f"no check and no group is called {name} (hostagent checks list shows them)")
    chosen = {code: each for code, each in checks.by_code.items() if code in codes or each.group in groups}
    return Checks(
        by_code=chosen,
        site=checks.site & chosen.keys(),
        refused=tuple(each for each in checks.refused if each.code in codes),
    )


def run(checks: Checks, context: Context, *, host: str, looks: int = 1, seconds: float = 0.0) -> Report:
    """Judge one Context; a refused file is an unknown result, for nobody knows what it would have said."""
    results = [_run_one(check, context) for check in checks.by_code.values()]
    results += [Result(code=each.code, state=State.UNKNOWN, summary=each.reason) for each in checks.refused]
    taken_at = context.snapshot.taken_at
    return Report(host=host, taken_at=taken_at, results=tuple(results), looks=looks, seconds=seconds)


def _run_one(check: Check, context: Context) -> Result:
    begin = time.perf_counter()
    try:
        verdict = check.evaluate(context)
    except (Exception, SystemExit) as error:  # noqa: BLE001  the loader's edge: one broken check must not hide the others
        reason = f"the check itself failed: {type(error).__name__}: {error}"
        return Result(
            code=check.code,
            state=State.UNKNOWN,
            summary=reason,
            duration_seconds=time.perf_counter() - begin,
        )
    return Result(
        code=check.code,
        state=verdict.state,
        summary=verdict.summary,
        objects=verdict.objects,
        fixable=verdict.fixable,
        duration_seconds=time.perf_counter() - begin,
    )
