"""hostagent checks list: which checks there are, and which files were refused."""

from __future__ import annotations

import click

from hostagent.cli.params import json_option
from hostagent.cli.session import EXIT_OK, EXIT_UNKNOWN, Session
from hostagent.cli.words import printable, put, put_json, say, table
from hostagent.health.loader import load_checks


@click.group(invoke_without_command=True)
@click.pass_context
def checks(context: click.Context) -> int:
    """The health checks of this node; without a command, list them."""
    return int(context.invoke(list_checks)) if context.invoked_subcommand is None else EXIT_OK


@checks.command("list")
@json_option
@click.pass_obj
def list_checks(session: Session, *, as_json: bool = False) -> int:
    """List every check; exit 3 if a file was refused."""
    found = load_checks(session.settings_or_defaults().paths.checks_dir)
    every = found.by_code.values()
    if as_json:
        put_json(
            {
                "schema": "hostagent.checks/v1",
                "checks": [
                    {
                        "code": each.code,
                        "group": each.group,
                        "severity": str(each.severity),
                        "title": each.title,
                        "grace": each.grace,
                    }
                    for each in every
                ],
                "refused": [{"code": each.code, "reason": each.reason} for each in found.refused],
            }
        )
    else:
        rows = [(each.code, each.group, str(each.severity), each.title) for each in every]
        put("\n".join(table([("CODE", "GROUP", "WORST", "TITLE"), *rows])) + "\n")
    for refused in found.refused:
        say(f"hostagent: {printable(refused.reason)}")
    return EXIT_UNKNOWN if found.refused else EXIT_OK
