"""hostagent history: what was changed on this host."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from hostagent.act.history import runs
from hostagent.cli.params import json_option
from hostagent.cli.session import EXIT_OK, Session
from hostagent.cli.words import paint, printable, put, put_json

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hostagent.act.history import Run


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
