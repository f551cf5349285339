"""Kinds of options that several commands take."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from collections.abc import Callable

F = TypeVar("F", bound="Callable[..., Any]")

_UNITS = {"ms": 0.001, "": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


def duration(least: str, most: str) -> Callable[[click.Context, click.Parameter, str | None], float | None]:
    """A callback of click's options: the seconds of a length of time such as 500ms, 10s, 10, 2m, 4h or 1d."""

    def seconds(context: click.Context, parameter: click.Parameter, value: str | None) -> float | None:
        if value is None:
            return None
        found = _seconds(value)
        if found is None:
            raise click.BadParameter(f"{value} is no duration (500ms, 10s, 2m, 4h, 1d)", context, parameter)
        if not (_seconds(least) or 0) <= found <= (_seconds(most) or 0):
            raise click.BadParameter(f"{value} is not between {least} and {most}", context, parameter)
        return found

    return seconds


def _seconds(text: str) -> float | None:
    found = re.fullmatch(r"([0-9]{1,12}(?:\.[0-9]+)?)(ms|s|m|h|d|)", text, re.ASCII)
    return None if found is None else float(found[1]) * _UNITS[found[2]]


def timeout_option(command: F) -> F:
    """--timeout, for every command that reads the host."""
    words = "Bounds the whole command (default: looks.timeout_seconds, 10s)."
    return click.option("--timeout", metavar="DURATION", callback=duration("100ms", "60m"), help=words)(
        command
    )


def json_option(command: F) -> F:
    """--json, for every command that reads."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON.")(command)


def reason_option(command: F) -> F:
    """--reason, for what others will ask about."""
    words = "Why, for those who see it later."
    return click.option("--reason", required=True, metavar="TEXT", help=words)(command)


def some_or_all(command: F) -> F:
    """NAME… or --all, one of them, as ``names`` and ``every``."""

    def check(context: click.Context, _: click.Parameter, value: bool) -> bool:
        if value == bool(context.params.get("names")):
            raise click.UsageError("name domains, or --all", context)
        return value

    named = click.argument("names", metavar="[NAME]...", nargs=-1, is_eager=True)
    every = click.option("--all", "every", is_flag=True, callback=check, help="All of them.")
    return named(every(command))
