"""hostagent fix: the plan object by object, and with --apply its execution."""

from __future__ import annotations

import os
import sys
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from hostagent.act.executor import Executor
from hostagent.cli import fix_text
from hostagent.cli.fix_text import Fixed
from hostagent.cli.looking import Looked, bounded, look
from hostagent.cli.params import json_option, timeout_option
from hostagent.cli.session import EXIT_REFUSED, Session
from hostagent.cli.words import printable, put, put_json, say
from hostagent.decide.drift.codes import CODES
from hostagent.decide.repair import plan_repair
from hostagent.errors import ActError, SourceError
from hostagent.model.plan import Held, Plan, Unknown
from hostagent.sources.gather import Gatherer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hostagent.config import Settings

_NEEDS_ROOT = "repairs need root (run it with sudo)"
_NEEDS_CONSENT = "made on request: it needs your consent (a y at the prompt of a terminal, or --yes)"


@click.command
@click.argument("codes", metavar="[CODE]...", nargs=-1)
@click.option("--apply", is_flag=True, help="Carry the plan out. Without it nothing is changed.")
@click.option("--yes", is_flag=True, help="Consent to steps that are made on request only.")
@click.option("--force", is_flag=True, help="Lift the caps on how much one plan may change, never its rules.")
@timeout_option
@json_option
@click.pass_obj
def fix(
    session: Session,
    *,
    codes: tuple[str, ...],
    apply: bool,
    yes: bool,
    force: bool,
    timeout: float | None,
    as_json: bool,
) -> int:
    """Show how what `check` finds can be repaired, and with --apply repair it.

    Exit 0 done or nothing to do, 10 plan pending (no --apply), 11 partial, 12 refused.
    """
    asked = frozenset(code.upper() for code in codes)
    if wrong := sorted(asked - frozenset(CODES)):
        raise click.BadParameter(
            f"{', '.join(wrong)}: nothing of that code can be repaired", param_hint="CODE"
        )
    settings = session.settings()
    if os.geteuid() != 0:
        return _refuse(session, _NEEDS_ROOT)
    gatherer = Gatherer(settings)
    recovered, refused = _recover(settings, gatherer) if apply else ((), "")
    session.started = time.monotonic()  # what waited for the lock or ended a dead run has its own limits
    timeout = timeout or settings.looks.timeout_seconds
    with bounded(session, timeout, code=EXIT_REFUSED):
        looked = look(gatherer, settings, until=session.started + timeout, codes=asked or CODES)
        plan = plan_repair(looked.drift, looked.snapshot, limits=settings.repair, codes=asked, force=force)
    plan = replace(plan, refused=plan.refused or refused)
    fixed = Fixed(
        host=os.uname().nodename,
        taken_at=looked.snapshot.taken_at,
        plan=plan,
        unjudged=dict(_unjudged(looked, asked)),
        asked=asked,
        recovered=recovered,
    )
    if apply and plan.steps and not plan.refused:
        fixed = _apply(fixed, settings, gatherer, yes=yes, quiet=as_json)
    if as_json:
        put_json(fix_text.as_json(fixed))
    else:
        put(fix_text.as_text(fixed))
    return fixed.exit_code


def _recover(settings: Settings, gatherer: Gatherer) -> tuple[tuple[str, ...], str]:
    """End runs that had died, before the look: a plan made of what they left would be out of date at once."""
    try:
        return Executor(settings, gatherer.look).recover(who="hostagent fix"), ""
    except (ActError, SourceError) as error:
        return (), str(error)


def _apply(fixed: Fixed, settings: Settings, gatherer: Gatherer, *, yes: bool, quiet: bool) -> Fixed:
    plan = fixed.plan if yes else _with_consent(fixed.plan)
    left = len(plan.steps) < len(fixed.plan.steps)
    fixed = replace(fixed, plan=plan, left_out=left)
    if not plan.steps:
        return fixed
    if not quiet and sys.stderr is not None and sys.stderr.isatty():
        say(f"Applying {len(plan.steps)} steps …")
    try:
        return replace(fixed, outcome=Executor(settings, gatherer.look).apply(plan, who="hostagent fix"))
    except (ActError, SourceError) as error:
        return replace(fixed, plan=replace(plan, refused=str(error)))


def _with_consent(plan: Plan) -> Plan:
    """The plan without the steps that a person must agree to and did not."""
    risky = tuple(step for step in plan.steps if step.on_request)
    if not risky or (_at_terminal() and _agreed(plan)):
        return plan
    held = (Held(code=step.codes[0], object=step.object, reason=_NEEDS_CONSENT) for step in risky)
    steps = tuple(step for step in plan.steps if not step.on_request)
    return replace(plan, steps=steps, held=(*plan.held, *held))


def _at_terminal() -> bool:
    return all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stderr))


def _agreed(plan: Plan) -> bool:
    risky = [step for step in plan.steps if step.on_request]
    for step in risky:
        say(f"{step.kind} {printable(step.object)}: {printable(step.reason)}")
    return click.confirm(f"These {len(risky)} steps are made on request only. Do them?", err=True)


def _unjudged(looked: Looked, asked: frozenset[str]) -> Iterator[tuple[str, Unknown]]:
    for code, unknown in sorted(looked.drift.unknown.items()):
        if not unknown.skip and (not asked or code in asked):
            yield code, unknown


def _refuse(session: Session, reason: str) -> int:
    session.fail(f"refused: {reason}")
    return EXIT_REFUSED
