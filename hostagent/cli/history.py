"""hostagent history and undo: what was changed on this host, and taking it back."""

from __future__ import annotations

import os
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from hostagent.act.history import Did, runs
from hostagent.cli.params import json_option
from hostagent.cli.session import EXIT_OK, EXIT_PARTIAL, EXIT_REFUSED, Session
from hostagent.cli.words import paint, printable, put, put_json
from hostagent.errors import ActError, SourceError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hostagent.act.history import Run
    from hostagent.act.outcome import Outcome


@click.command
@json_option
@click.pass_obj
def history(session: Session, *, as_json: bool) -> int:
    """List what was changed on this host, newest last, with the ids that `undo` takes."""
    told = runs(session.settings())
    if as_json:
        put_json({"schema": "hostagent.history/v1", "runs": [asdict(each) for each in told]})
        return EXIT_OK
    lines = [line for each in told for line in _run(each)]
    put("\n".join(lines or ["Nothing was changed on this host yet."]) + "\n")
    return EXIT_OK


def _run(run: Run) -> Iterator[str]:
    person = run.by.sudo_user or run.by.user
    unfinished = "" if run.finished else "  (died before its end)"
    undoes = f" of {', '.join(run.undoes)}" if run.undoes else ""
    yield paint(printable(f"{run.id}  {run.at}  {run.what}{undoes} by {person}{unfinished}"), "bold")
    for action in run.actions:
        undone = f", undone by {action.undone_by}" if action.undone_by else ""
        because = f" ({action.detail})" if action.detail else ""
        codes = f"  {', '.join(action.codes)}" if action.codes else ""
        yield printable(
            f"  {action.id}  {action.kind} {action.object}  {action.state}{because}{undone}{codes}"
        )


@click.command
@click.argument("identity", metavar="ID")
@json_option
@click.pass_obj
def undo(session: Session, *, identity: str, as_json: bool) -> int:
    """Take back one action or one run of `history`, or refuse because the host has moved on.

    Exit 0 done, 11 partial, 12 refused.
    """
    from hostagent.act.executor import Executor  # noqa: PLC0415  history alone needs no reader of the host
    from hostagent.sources.gather import Gatherer  # noqa: PLC0415

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
