"""hostagent mute, unmute, mutes: what shall not alert for a while."""

from __future__ import annotations

import difflib
import time
from typing import TYPE_CHECKING

import click

from hostagent.cli.asking import ask_published, change_agent
from hostagent.cli.params import duration, json_option, reason_option
from hostagent.cli.session import EXIT_OK, Session
from hostagent.cli.words import moment, put, put_json, span, table
from hostagent.errors import CheckError
from hostagent.health.loader import load_checks
from hostagent.model.plain import plain

if TYPE_CHECKING:
    from hostagent.config import Settings
    from hostagent.model.published import Mute


@click.command
@click.argument("target", metavar="CODE[/OBJECT]")
@click.argument("seconds", metavar="DURATION", callback=duration("1s", "30d"))
@reason_option
@click.option("--sticky", is_flag=True, help="Keep it when the check clears or gets worse.")
@click.pass_obj
def mute(session: Session, *, target: str, seconds: float, reason: str, sticky: bool) -> int:
    """Let a check, or one object of it, not alert for DURATION (30m, 4h, 7d).

    The mute lapses when the check clears, or gets worse than it is now: a worse state, or more objects where
    the whole check is muted. What is ok now can only be muted with --sticky.
    """
    settings = session.settings_or_defaults()
    code, object_id = _target(settings, target)
    request = {"code": code, "object": object_id, "seconds": seconds, "reason": reason, "sticky": sticky}
    change_agent(settings, "mute", request)
    words = "" if sticky else ", unless it clears or gets worse"
    put(f"{_key(code, object_id)} is muted until {moment(time.time() + seconds)}{words}\n")
    return EXIT_OK


@click.command
@click.argument("target", metavar="CODE[/OBJECT]")
@click.pass_obj
def unmute(session: Session, *, target: str) -> int:
    """End a mute now."""
    settings = session.settings_or_defaults()
    code, _, object_id = target.partition("/")
    change_agent(settings, "unmute", {"code": code.upper(), "object": object_id})
    put(f"{_key(code.upper(), object_id)} is no longer muted\n")
    return EXIT_OK


@click.command
@json_option
@click.pass_obj
def mutes(session: Session, *, as_json: bool) -> int:
    """List what is muted, until when, by whom and why."""
    found = ask_published(session.settings_or_defaults()).mutes
    if as_json:
        put_json({"schema": "hostagent.mutes/v1", "mutes": plain(found)})
    elif found:
        rows = [_row(each) for each in sorted(found, key=lambda each: each.until)]
        put("\n".join(table([("WHAT", "STATE", "STILL", "STICKY", "BY", "REASON"), *rows])) + "\n")
    else:
        put("Nothing is muted.\n")
    return EXIT_OK


def _row(mute: Mute) -> tuple[str, ...]:
    sticky = "yes" if mute.sticky else "no"
    still = span(mute.until - time.time())
    return (_key(mute.code, mute.object), mute.state, still, sticky, mute.by, mute.reason)


def _target(settings: Settings, target: str) -> tuple[str, str]:
    """The code and the object, which may hold slashes itself.

    Raises:
        CheckError: there is no such check.
    """
    code, _, object_id = target.partition("/")
    checks = load_checks(settings.paths.checks_dir)
    known = {*checks.by_code, *(each.code for each in checks.refused)}
    if code.upper() not in known:
        close = difflib.get_close_matches(code.upper(), known, n=1)
        guess = f"did you mean {close[0]}?" if close else "hostagent checks list shows them"
        raise CheckError(f"no check is called {code} ({guess})")
    return code.upper(), object_id


def _key(code: str, object_id: str) -> str:
    return f"{code}/{object_id}" if object_id else code
