"""published.json as the exporter takes it: read, understood, and how old it is."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from hostagent.model.plain import record
from hostagent.model.published import SCHEMA, Published

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

FILE = "published.json"
REPORT_SCHEMA = "hostagent.check/v1"  # docs/schema/check-v1.json
STATES = ("ok", "warn", "crit", "unknown", "skip")

# 200 guests with every port in trouble are some 100 kB.
_MOST_BYTES = 16 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckState:
    """One check of the report. ``since`` is seconds since the epoch, or None."""

    state: str
    muted: bool
    since: float | None
    objects: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """What the agent published, with the report's checks by code and its overall state."""

    published: Published
    status: str
    checks: Mapping[str, CheckState]


@dataclass(frozen=True, slots=True, kw_only=True)
class Unread:
    """There is no document; ``reason`` is one line for an operator."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Freshness:
    """Whether the agent lives and whether its last look counts; ``reason`` is why not, or ""."""

    alive: bool
    look: bool
    reason: str = ""


def read(path: Path) -> Document | Unread:
    """What is in the file now; whatever is wrong with it is a reason, never an error."""
    try:
        with path.open("rb") as stream:
            raw = stream.read(_MOST_BYTES + 1)
    except FileNotFoundError:
        hint = "has hostagent.service run since the boot? systemctl status hostagent"
        return Unread(reason=f"{path}: no such file ({hint})")
    except OSError as error:
        hint = " (is this user in the group hostagent?)" if isinstance(error, PermissionError) else ""
        return Unread(reason=f"{path}: can't be read: {os.strerror(error.errno or 0)}{hint}")
    if len(raw) > _MOST_BYTES:
        return Unread(reason=f"{path}: larger than {_MOST_BYTES >> 20} MiB (systemctl restart hostagent)")
    try:
        return parse(raw)
    except (ValueError, RecursionError) as error:
        hint = "systemctl restart hostagent hostagent-exporter, if only one of them was upgraded"
        return Unread(reason=f"{path}: not understood: {error!s:.200} ({hint})")


def parse(raw: bytes) -> Document:
    """The document in ``raw``.

    Raises:
        ValueError: it is cut off, no JSON, of another schema, or of other types.
    """
    table = json.loads(raw, parse_constant=_no_number)
    schema = table.get("schema") if isinstance(table, dict) else None
    if schema != SCHEMA:
        raise ValueError(f"its schema is {schema!r:.60}, not {SCHEMA}")
    published = record(Published, table)
    report = published.report
    if report.get("schema") != REPORT_SCHEMA:
        raise ValueError(f"its report's schema is {report.get('schema')!r:.60}, not {REPORT_SCHEMA}")
    try:
        checks = {str(each["code"]): _check(each) for each in report["checks"]}
        return Document(published=published, status=_state(report["status"]), checks=checks)
    except (KeyError, TypeError) as error:
        raise ValueError(f"its report is not {REPORT_SCHEMA}: {type(error).__name__} {error}") from error


def freshness(document: Document | Unread, *, now: float, pulse_limit_seconds: float) -> Freshness:
    """How much of the document still holds at ``now``.

    A time from the future is as good as an old one: the clock was set back, and nobody knows by how much.
    """
    if isinstance(document, Unread):
        return Freshness(alive=False, look=False, reason=document.reason)
    published = document.published
    pulse_age, look_age = now - published.alive_at, now - published.taken_at
    alive = abs(pulse_age) <= pulse_limit_seconds
    look = abs(look_age) <= published.fresh_seconds
    reason = ""
    if not alive:
        reason = f"the agent last said {pulse_age:.0f} s ago that it lives (systemctl status hostagent)"
    elif not look:
        reason = f"the agent last looked {look_age:.0f} s ago (journalctl -u hostagent says why)"
    return Freshness(alive=alive, look=look, reason=reason)


def _check(raw: Mapping[str, Any]) -> CheckState:
    since = raw["since"]
    return CheckState(
        state=_state(raw["state"]),
        muted=raw["muted"] is True,
        since=None if since is None else datetime.fromisoformat(since).timestamp(),
        objects=len(raw["objects"]),
    )


def _state(raw: object) -> str:
    if raw not in STATES:
        raise ValueError(f"{raw!r:.60} is no state of {REPORT_SCHEMA}")
    return str(raw)


def _no_number(word: str) -> float:
    raise ValueError(f"{word} is no number")
