"""hostagent memory: the budget on one screen, and how many more guests fit."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from hostagent.cli import memory_text
from hostagent.cli.looking import bounded
from hostagent.cli.params import json_option, timeout_option
from hostagent.cli.session import EXIT_OK, EXIT_UNKNOWN, Session
from hostagent.cli.words import put, put_json
from hostagent.decide.memory.admission import request_of
from hostagent.decide.memory.fits import how_many
from hostagent.decide.memory.view import MemoryView, view
from hostagent.errors import SourceError
from hostagent.model.guests_memory import Promise
from hostagent.model.host import Unavailable
from hostagent.model.plain import plain
from hostagent.sources.memory_look import look_at_memory

if TYPE_CHECKING:
    from hostagent.config import Memory
    from hostagent.decide.memory.fits import Fits

_UNITS = {"M": 1 << 20, "G": 1 << 30, "T": 1 << 40}
_MARGIN_SECONDS = 0.3


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """What was read: the view, the limits it was judged by, and why the guests are missing, or ""."""

    seen: MemoryView
    limits: Memory
    missing: str


def _amount(context: click.Context, parameter: click.Parameter, value: str) -> int:
    """Bytes of an amount such as 4G, 4GiB or 512M; a callback of click's options."""
    found = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)([MGT])(?:iB)?", value)
    amount = 0 if found is None else round(float(found[1]) * _UNITS[found[2]])
    if not amount:
        raise click.BadParameter(f"{value} is no amount of memory (512M, 4G)", context, parameter)
    return amount


@click.group(invoke_without_command=True)
@click.option("--full", is_flag=True, help="Print every guest.")
@timeout_option
@json_option
@click.pass_context
def memory(context: click.Context, *, full: bool, timeout: float | None, as_json: bool) -> int:
    """The memory budget of this node: what is promised, what is there, and what KSM makes of it."""
    if context.invoked_subcommand is not None:
        return EXIT_OK
    session: Session = context.obj
    read = _read(session, timeout)
    if as_json:
        put_json(_document(read.seen))
    else:
        put(memory_text.text(read.seen, host=os.uname().nodename, full=full))
    if read.missing:
        session.fail(read.missing)
        return EXIT_UNKNOWN
    return EXIT_OK


@memory.command
@click.option("--memory", "amount", required=True, callback=_amount, metavar="SIZE", help="As in 4G or 512M.")
@click.option("--vcpus", required=True, type=click.IntRange(1, 4096), help="Virtual CPUs of each.")
@click.option("--count", is_flag=True, help="Print the number alone.")
@timeout_option
@json_option
@click.pass_obj
def fits(
    session: Session, *, amount: int, vcpus: int, count: bool, timeout: float | None, as_json: bool
) -> int:
    """Say how many more guests of a kind fit, and what stops the next one."""
    read = _read(session, timeout)
    if read.missing:
        raise SourceError(read.missing)
    promise = Promise(maximum=amount, current=amount, vcpus=vcpus)
    request = request_of(promise)
    found = how_many(read.seen.budget, request, read.limits, level=read.seen.state.level)
    if as_json:
        put_json(_fits_document(found, promise, request.charge))
    elif count:
        put(f"{found.count}\n")
    else:
        put(memory_text.fits(found, promise, request.charge, read.seen.budget))
    return EXIT_OK


def _read(session: Session, timeout: float | None) -> Read:
    settings = session.settings()
    timeout = timeout or settings.looks.timeout_seconds
    with bounded(session, timeout):
        host, guests = look_at_memory(settings, max(0.1, timeout - _MARGIN_SECONDS))
    seen = view(host, guests, settings.memory)
    if isinstance(seen, Unavailable):
        raise SourceError(seen.reason)
    missing = guests.reason if isinstance(guests, Unavailable) else ""
    return Read(seen=seen, limits=settings.memory, missing=missing)


def _document(seen: MemoryView) -> dict[str, Any]:
    budget = seen.budget
    nodes = [{**_plain(node), "headroom": node.headroom} for node in budget.nodes]
    return {
        "schema": "hostagent.memory/v1",
        "state": str(seen.state.level),
        "reasons": list(seen.state.reasons),
        "budget": {**_plain(budget), "headroom": budget.headroom, "nodes": nodes},
        "pressure": plain(seen.memory.pressure),
        "swap": plain(seen.memory.swaps),
    }


def _plain(record: object) -> dict[str, Any]:
    values = plain(record)
    return values if isinstance(values, dict) else {}


def _fits_document(found: Fits, promise: Promise, charge: int) -> dict[str, Any]:
    stop = found.stop
    return {
        "schema": "hostagent.fits/v1",
        "count": found.count,
        "memory": promise.maximum,
        "vcpus": promise.vcpus,
        "charge": charge,
        "stopped_by": "" if stop is None else str(stop.figure),
        "reason": "" if stop is None else stop.reason,
    }
