"""Kinds of options that several commands take."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from collections.abc import Callable

F = TypeVar("F", bound="Callable[..., Any]")

_UNITS = {"ms": 0.001, "": 1.0, "s": 1.0, "m": 60.0}


def duration(context: click.Context, parameter: click.Parameter, value: str | None) -> float | None:
    """Seconds of a length of time such as 10s, 500ms, 2m or 10; a callback of click's options."""
    if value is None:
        return None
    found = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)(ms|s|m|)", value)
    if found is None:
        raise click.BadParameter(f"{value} is no duration (10s, 500ms, 2m)", context, parameter)
    seconds = float(found[1]) * _UNITS[found[2]]
    if not 0.1 <= seconds <= 3600:
        raise click.BadParameter(f"{value} is not between 100ms and 60m", context, parameter)
    return seconds


def timeout_option(command: F) -> F:
    """--timeout, for every command that reads the host."""
    words = "Bounds the whole command (default: looks.timeout_seconds, 10s)."
    return click.option("--timeout", metavar="DURATION", callback=duration, help=words)(command)


def json_option(command: F) -> F:
    """--json, for every command that reads."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON.")(command)
