"""hostagent status: how the agent itself is."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import click

from hostagent.cli.asking import ask_published
from hostagent.cli.check_agent import why_stale
from hostagent.cli.params import json_option
from hostagent.cli.session import EXIT_OK, EXIT_UNKNOWN, Session
from hostagent.cli.words import moment, paint, printable, put, put_json, span, table
from hostagent.model.plain import plain

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hostagent.model.published import Hold, Published, SourceHealth


@click.command
@click.option("--brief", is_flag=True, help="Print one line.")
@json_option
@click.pass_obj
def status(session: Session, *, brief: bool, as_json: bool) -> int:
    """Say how the agent is: whether it looks and acts, what it could read, what it repaired, what it costs.

    Exit 0 when it answers and what it tells is fresh, 3 otherwise.
    """
    published, now = ask_published(session.settings_or_defaults()), time.time()
    stale = why_stale(published, now=now)
    if as_json:
        document = {key: value for key, value in _plain(published).items() if key not in {"schema", "report"}}
        state = {
            "fresh": not stale,
            "acting": not published.holds,
            "age_s": round(now - published.taken_at, 3),
        }
        put_json({"schema": "hostagent.status/v1", **state, **document})
    else:
        lines = [_line(published, stale, now)] if brief else _lines(published, stale, now)
        put("".join(f"{line}\n" for line in lines))
    return EXIT_UNKNOWN if stale else EXIT_OK


def _plain(published: Published) -> dict[str, object]:
    document = plain(published)
    return document if isinstance(document, dict) else {}


def _line(published: Published, stale: str, now: float) -> str:
    if stale:
        return f"{paint('UNKNOWN', 'unknown')} {printable(stale)}"
    looked = f"looked {span(now - published.taken_at)} ago"
    if published.holds:
        kinds = ", ".join(each.kind for each in published.holds)
        return f"{paint('HELD', 'warn')} {kinds}: {printable(published.holds[0].reason)} ({looked})"
    return f"{paint('ACTING', 'ok')} {printable(published.cycle or 'nothing to do')} ({looked})"


def _lines(published: Published, stale: str, now: float) -> Iterator[str]:
    yield _line(published, stale, now)
    up = span(now - published.started_at)
    yield f"agent    {printable(published.version)}, process {published.pid}, up {up}"
    cost = published.cost
    yield (
        f"looks    {cost.looks}, the last took {published.look_seconds:.2f} s;"
        f" sign of life {span(now - published.alive_at)} ago"
    )
    size = f"{cost.resident_bytes / 2**20:.0f} MiB, {cost.threads} threads, {cost.descriptors} descriptors"
    yield f"cost     {cost.cpu_seconds:.1f} s CPU, {size}"
    for hold in published.holds:
        yield f"held     {printable(_hold(hold, now))}"
    repairs = [f"{each.count} {each.code} {each.result}" for each in published.repairs]
    last = (
        "" if published.last_repair_at is None else f" (the last {span(now - published.last_repair_at)} ago)"
    )
    yield f"repairs  {printable(', '.join(repairs)) or 'none'}{last}"
    for alone in published.left_alone:
        yield printable(f"left     {alone.code} {alone.object}: {alone.reason}")
    if published.mutes:
        yield f"mutes    {len(published.mutes)} (hostagent mutes lists them)"
    for problem in published.config_problems:
        yield f"settings {printable(problem)}"
    if published.sources:
        yield ""
        yield from table(
            [("SOURCE", "STATE", "READ", "REASON"), *(_row(each, now) for each in published.sources)]
        )


def _hold(hold: Hold, now: float) -> str:
    by = f" by {hold.by}" if hold.by else ""
    until = "" if hold.until is None else f", until {moment(hold.until)}"
    return f"{hold.kind}{by} for {span(now - hold.since)}{until}: {hold.reason}"


def _row(source: SourceHealth, now: float) -> tuple[str, ...]:
    read = "never" if source.read_at is None else f"{span(now - source.read_at)} ago"
    since = "" if source.since is None or not source.trouble else f" for {span(now - source.since)}"
    return (source.section, f"{source.trouble or 'ok'}{since}", read, source.reason)
