"""hostagent check: judge the node, say it in text, JSON or a monitoring plugin's words, exit by it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from hostagent.cli import check_forms, check_text
from hostagent.cli.check_agent import read_agent
from hostagent.cli.check_repeat import wait, watch
from hostagent.cli.looking import bounded
from hostagent.cli.params import duration, json_option, timeout_option
from hostagent.cli.session import (
    EXIT_CRIT,
    EXIT_OK,
    EXIT_UNKNOWN,
    EXIT_WARN,
    PLUGINS,
    Session,
)
from hostagent.cli.words import put, put_json, say
from hostagent.health.api import State
from hostagent.health.loader import load_checks
from hostagent.health.runner import select

if TYPE_CHECKING:
    from hostagent.config import Settings
    from hostagent.health.loader import Checks
    from hostagent.health.report import Report

_EXITS = {State.OK: EXIT_OK, State.WARN: EXIT_WARN, State.CRIT: EXIT_CRIT, State.UNKNOWN: EXIT_UNKNOWN}
_LEAST_SECONDS = 0.1
_PROBES_SECONDS = 50.0  # on top, with --full: a bridge with STP (libvirt's) forwards a new port after 4 s
_FORMS = ("text", "json", "jsonl", "nagios", "checkmk", "prom")
_FLOWS = "OVS_FLOW_ORPHAN"
_NO_FLOWS = "hostagent: the agent reads no OpenFlow rules; hostagent check --live --full does"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """What the command line asks for. Without names it is all that there is."""

    names: tuple[str, ...]
    live: bool
    full: bool
    timeout: float
    bounded: bool  # by --timeout
    fail_on: str
    quiet: bool
    every: bool
    form: str


@click.command
@click.argument("names", metavar="[CODE|GROUP]...", nargs=-1)
@click.option("--live", is_flag=True, help="Read the host in this process instead of asking the agent.")
@click.option(
    "--full",
    is_flag=True,
    help="Look anew, with --live at OpenFlow rules as well, probing DHCP renewals; print every object.",
)
@click.option(
    "--watch", "watched", is_flag=True, help="Go on until Ctrl-C; in a pipe, a line for each change."
)
@click.option(
    "--wait",
    "patience",
    metavar="DURATION",
    callback=duration("100ms", "1d"),
    help="Wait so long for exit 0.",
)
@timeout_option
@click.option(
    "--fail-on", type=click.Choice(["warn", "crit"]), default="warn", help="With crit a warning exits 0."
)
@click.option("-q", "--quiet", is_flag=True, help="Print the status line only.")
@click.option("-v", "--verbose", count=True, help="Print every check; -vv shows where an internal error is.")
@click.option("--format", "form", type=click.Choice(_FORMS), default="text")
@json_option
@click.pass_obj
def check(
    session: Session,
    *,
    names: tuple[str, ...],
    live: bool,
    full: bool,
    watched: bool,
    patience: float | None,
    timeout: float | None,
    fail_on: str,
    quiet: bool,
    verbose: int,
    form: str,
    as_json: bool,
) -> int:
    """Say what is wrong with this node: exit 0 ok, 1 warn, 2 crit, 3 unknown.

    It asks the agent, and says how long ago the agent has looked. CODE and GROUP restrict it to some checks;
    `hostagent checks list` shows them.
    """
    form = "json" if as_json else form
    session.plugin = form if form in PLUGINS else ""
    if watched and (form != "text" or patience is not None):
        raise click.UsageError("--watch goes with text only, and not with --wait")
    # The agent goes on with its old settings when the file is bad: asking it must not depend on the file.
    settings = session.settings() if live else session.settings_or_defaults()
    asked = _Asked(
        names=names,
        live=live,
        full=full,
        timeout=timeout or settings.looks.timeout_seconds,
        bounded=timeout is not None,
        fail_on=fail_on,
        quiet=quiet,
        every=verbose > 0,
        form=form,
    )
    checks = select(load_checks(settings.paths.checks_dir), names) if live or names else None
    if not live and (full or _FLOWS in {name.upper() for name in names}):
        say(_NO_FLOWS)

    def read() -> Report:
        return _read(session, settings, checks, asked)

    def code(report: Report) -> int:
        found = _EXITS[report.status]
        return EXIT_OK if found == EXIT_WARN and fail_on == "crit" else found

    if watched:
        return watch(session, read, lambda report: _text(report, asked), code)
    report = read() if patience is None else wait(session, read, code, seconds=patience)
    _print(report, asked)
    return code(report)


def _read(session: Session, settings: Settings, checks: Checks | None, asked: _Asked) -> Report:
    until = session.started + asked.timeout
    if asked.live and checks is not None:
        from hostagent.cli.check_live import read_host  # noqa: PLC0415  the readers cost time that asking does not

        flows = asked.full or _FLOWS in {name.upper() for name in asked.names}
        probes = asked.full and any(each.group == "dhcp" for each in checks.by_code.values())
        whole = asked.timeout + (_PROBES_SECONDS if probes and not asked.bounded else 0.0)
        with bounded(session, whole):
            probes_until = session.started + whole if probes else None
            return read_host(settings, checks, until=until, flows=flows, probes_until=probes_until)
    codes = [*checks.by_code, *(each.code for each in checks.refused)] if checks is not None else []
    left = max(_LEAST_SECONDS, until - time.monotonic())
    return read_agent(settings, codes, timeout=left, new_look=asked.full)


def _print(report: Report, asked: _Asked) -> None:
    if asked.form == "json":
        put_json(report.as_json())
    elif asked.form == "text":
        put(_text(report, asked))
    elif asked.form == "prom":
        from hostagent.cli.check_prom import prom  # noqa: PLC0415  prometheus_client, for this form only

        put(prom(report))
    else:
        put(getattr(check_forms, asked.form)(report))


def _text(report: Report, asked: _Asked) -> str:
    if asked.quiet:
        return check_text.status_line(report) + "\n"
    return check_text.text(report, full=asked.full, every=asked.every)
