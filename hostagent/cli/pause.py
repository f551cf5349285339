"""hostagent pause and resume: whether the agent may act."""

from __future__ import annotations

import click

from hostagent.cli.asking import change_agent
from hostagent.cli.params import duration, reason_option
from hostagent.cli.session import EXIT_OK, Session
from hostagent.cli.words import moment, printable, put, say


@click.command
@click.argument("seconds", metavar="[DURATION]", required=False, callback=duration("1s", "30d"))
@reason_option
@click.pass_obj
def pause(session: Session, *, seconds: float | None, reason: str) -> int:
    """Let the agent change nothing for DURATION (10m, 4h, 2d), or until `resume`. It goes on reporting."""
    answer = change_agent(session.settings_or_defaults(), "pause", {"seconds": seconds, "reason": reason})
    until = next((each["until"] for each in answer["holds"] if each["kind"] == "paused"), None)
    put(f"paused until {'hostagent resume' if until is None else moment(until)}\n")
    return EXIT_OK


@click.command
@click.pass_obj
def resume(session: Session) -> int:
    """Let the agent act again, after `pause` or after it has latched because too much was repaired."""
    answer = change_agent(session.settings_or_defaults(), "resume", {})
    ended = [f"{each['kind']}: {each['reason']}" for each in answer["ended"]]
    put(f"resumed ({printable('; '.join(ended))})\n" if ended else "resumed; nothing was held\n")
    for each in answer["holds"]:
        say(f"hostagent: still {each['kind']}: {printable(each['reason'])}")
    return EXIT_OK
