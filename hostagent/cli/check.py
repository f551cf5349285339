"""hostagent check: judge the node, say it in text, JSON or a monitoring plugin's words, exit by it."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

import click

from hostagent.cli import check_text
from hostagent.cli.looking import bounded, look
from hostagent.cli.params import json_option, timeout_option
from hostagent.cli.session import EXIT_CRIT, EXIT_OK, EXIT_UNKNOWN, EXIT_WARN, Session
from hostagent.cli.words import put, put_json
from hostagent.decide.drift.codes import CODES
from hostagent.health.api import Context, State
from hostagent.health.loader import load_checks
from hostagent.health.runner import run, select
from hostagent.sources.gather import Gatherer

if TYPE_CHECKING:
    from hostagent.config import Settings
    from hostagent.health.loader import Checks
    from hostagent.health.report import Report

_EXITS = {State.OK: EXIT_OK, State.WARN: EXIT_WARN, State.CRIT: EXIT_CRIT, State.UNKNOWN: EXIT_UNKNOWN}
_NO_AGENT = "no agent runs here that could be asked; hostagent check --live reads the host itself"


@click.command
@click.argument("names", metavar="[CODE|GROUP]...", nargs=-1)
@click.option("--live", is_flag=True, help="Read the host in this process instead of asking the agent.")
@click.option("--full", is_flag=True, help="Read OpenFlow rules as well, and print every object.")
@timeout_option
@click.option(
    "--fail-on", type=click.Choice(["warn", "crit"]), default="warn", help="With crit a warning exits 0."
)
@click.option("-q", "--quiet", is_flag=True, help="Print the status line only.")
@click.option("-v", "--verbose", count=True, help="Print every check; -vv shows where an internal error is.")
@click.option("--format", "form", type=click.Choice(["text", "json", "nagios"]), default="text")
@json_option
@click.pass_obj
def check(
    session: Session,
    *,
    names: tuple[str, ...],
    live: bool,
    full: bool,
    timeout: float | None,
    fail_on: str,
    quiet: bool,
    verbose: int,
    form: str,
    as_json: bool,
) -> int:
    """Say what is wrong with this node: exit 0 ok, 1 warn, 2 crit, 3 unknown.

    CODE and GROUP restrict it to some checks; `hostagent checks list` shows them.
    """
    session.nagios = form == "nagios" and not as_json
    settings = session.settings()
    checks = select(load_checks(settings.paths.checks_dir), names)
    if not live:
        session.fail(_NO_AGENT)
        return EXIT_UNKNOWN
    timeout = timeout or settings.looks.timeout_seconds
    flows = full or "OVS_FLOW_ORPHAN" in {name.upper() for name in names}
    with bounded(session, timeout):
        report = _judge(checks, settings, until=session.started + timeout, flows=flows)
        _print(session, report, form="json" if as_json else form, full=full, quiet=quiet, every=verbose > 0)
    code = _EXITS[report.status]
    return EXIT_OK if code == EXIT_WARN and fail_on == "crit" else code


def _judge(checks: Checks, settings: Settings, *, until: float, flows: bool) -> Report:
    codes = frozenset(CODES if checks.site else checks.by_code)  # a site's check may look at any finding
    began = time.monotonic()
    looked = look(Gatherer(settings), settings, until=until, flows=flows, codes=codes)
    context = Context(snapshot=looked.snapshot, drift=looked.drift, settings=settings)
    seconds = time.monotonic() - began
    return run(checks, context, host=os.uname().nodename, looks=looked.looks, seconds=seconds)


def _print(session: Session, report: Report, *, form: str, full: bool, quiet: bool, every: bool) -> None:
    if form == "json":
        put_json(report.as_json())
    elif session.nagios:
        put(check_text.nagios(report))
    elif quiet:
        put(check_text.status_line(report) + "\n")
    else:
        put(check_text.text(report, full=full, every=every))
