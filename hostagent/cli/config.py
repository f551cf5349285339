"""hostagent config: is the settings file right, and what holds now."""

from __future__ import annotations

import json
from dataclasses import asdict, fields
from functools import reduce
from pathlib import Path
from typing import Any

import click

from hostagent.cli.params import json_option
from hostagent.cli.session import EXIT_OK, Session
from hostagent.cli.words import paint, put, put_json
from hostagent.config import DEFAULT_FILE, tables


@click.group(invoke_without_command=True)
@click.pass_context
def config(context: click.Context) -> int:
    """The settings of this node; without a command, show them."""
    return int(context.invoke(show)) if context.invoked_subcommand is None else EXIT_OK


@config.command
@click.pass_obj
def validate(session: Session) -> int:
    """Say every fault of the settings file; exit 3 if there is one."""
    session.settings()
    file = session.config_file or Path(DEFAULT_FILE)
    put(f"{file}: {'ok' if file.exists() else 'does not exist, the defaults hold'}\n")
    return EXIT_OK


@config.command
@json_option
@click.pass_obj
def show(session: Session, *, as_json: bool = False) -> int:
    """Print every key as it holds now, defaults included, as a settings file."""
    settings = session.settings()
    if as_json:
        put_json({"schema": "hostagent.config/v1", **asdict(settings)})
        return EXIT_OK
    for name in tables():
        put(f"[{name}]\n")
        record: Any = reduce(getattr, name.split("."), settings)
        for key in fields(record):
            about = paint(f"# {key.metadata['about']}", "dim")
            put(f"{key.name} = {_toml(getattr(record, key.name))}  {about}\n")
        put("\n")
    return EXIT_OK


def _toml(value: object) -> str:
    if isinstance(value, tuple):
        return f"[{', '.join(map(_toml, value))}]"
    if not isinstance(value, str):
        return json.dumps(value)
    safe = (char if char.isprintable() and char not in '"\\' else f"\\U{ord(char):08x}" for char in value)
    return f'"{"".join(safe)}"'
