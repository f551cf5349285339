"""hostagent explain: a check's runbook, offline."""

from __future__ import annotations

import click

from hostagent.cli.session import EXIT_OK, Session
from hostagent.cli.words import printable, put
from hostagent.errors import CheckError
from hostagent.health.loader import load_checks
from hostagent.health.runbook import as_text


@click.command
@click.argument("code")
@click.pass_obj
def explain(session: Session, code: str) -> int:
    """Say what CODE means, what it does to guests, what to look at and how it is repaired."""
    found = load_checks(session.settings_or_defaults().paths.checks_dir)
    check = found.by_code.get(code.upper())
    if check is None:
        raise CheckError(f"no check is called {code} (hostagent checks list shows them)")
    put(printable(as_text(check), keep="\n"))
    return EXIT_OK
