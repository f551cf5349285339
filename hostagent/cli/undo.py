"""hostagent undo: what was changed on this host is taken back."""

from __future__ import annotations

import os
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from hostagent.act.executor import Executor
from hostagent.act.history import Did
from hostagent.cli.params import json_option
from hostagent.cli.session import EXIT_OK, EXIT_PARTIAL, EXIT_REFUSED, Session
from hostagent.cli.words import paint, printable, put, put_json
from hostagent.errors import ActError, SourceError
from hostagent.sources.gather import Gatherer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hostagent.act.outcome import Outcome


@click.command
@click.argument("identity", metavar="ID")
@json_option
@click.pass_obj
def undo(session: Session, *, identity: str, as_json: bool) -> int:
    """Take back one action or one run of `history`, or refuse because the host has moved on.

    Exit 0 done, 11 partial, 12 refused.
    """
    settings = session.settings()
    if os.geteuid() != 0:
        session.fail("refused: repairs need root (run it with sudo)")
        return EXIT_REFUSED
    try:
        outcome = Executor(settings, Gatherer(settings).look).undo(identity, who="hostagent undo")
    except (ActError, SourceError) as error:
        session.fail(f"refused: {error}")
        return EXIT_REFUSED
    if as_json:
        put_json({"schema": "hostagent.undo/v1", **asdict(outcome)})
    else:
        put("".join(f"{line}\n" for line in _results(outcome)))
    if outcome.done:
        return EXIT_OK
    return EXIT_REFUSED if outcome.nothing_done else EXIT_PARTIAL


def _results(outcome: Outcome) -> Iterator[str]:
    for line in outcome.recovered:
        yield f"recovered: {printable(line)}"
    for each in outcome.results:
        kind = "ok" if each.state is Did.DONE else "crit"
        because = f": {printable(each.reason)}" if each.reason else ""
        yield f"{paint(f'{each.state:<8}', kind)}  undo {each.kind} {printable(each.object)}{because}"
