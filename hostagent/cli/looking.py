"""One or two looks at the host within a time-out: what one look suspects, two must agree on."""

from __future__ import annotations

import os
import sys
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from hostagent.cli.session import EXIT_UNKNOWN
from hostagent.decide.drift import find_drift
from hostagent.decide.drift.codes import CODES
from hostagent.decide.drift.grace import confirmed, wants_second_look
from hostagent.model.plan import Drift, Severity, Unknown

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from hostagent.cli.session import Session
    from hostagent.config import Settings
    from hostagent.model.host import Snapshot
    from hostagent.sources.gather import Gatherer

_MARGIN_SECONDS = 0.3  # to judge and print within the time-out
_LEAST_LOOK_SECONDS = 0.5  # a shorter look would call a healthy, busy daemon unresponsive


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """The last Snapshot, what the looks agree on, and how many there were."""

    snapshot: Snapshot
    drift: Drift
    looks: int


@contextmanager
def bounded(session: Session, timeout_seconds: float, *, code: int = EXIT_UNKNOWN) -> Iterator[None]:
    """End the process when the body outlives the command's time-out, for it may be stuck in C code."""

    def expire() -> None:
        session.fail(f"timed out after {timeout_seconds:g} s (--timeout gives it longer)")
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:
                stream.flush()
        os._exit(code)

    timer = threading.Timer(max(0.0, session.started + timeout_seconds - time.monotonic()), expire)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def look(
    gatherer: Gatherer,
    settings: Settings,
    *,
    until: float,
    flows: bool = False,
    codes: Collection[str] = CODES,
) -> Looked:
    """Look once, and again after the grace if the first look suspects what is normal for a moment.

    ``until`` is the monotonic time at which the command must have ended; ``codes`` are those that
    somebody asked for. Half of the time is kept for the second look.
    """
    grace = settings.looks.grace_seconds
    time_left = until - time.monotonic() - _MARGIN_SECONDS
    half = (time_left - grace) / 2
    first_seconds = round(half if half >= _LEAST_LOOK_SECONDS else max(time_left, 0.1), 1)
    snapshot = gatherer.look(timeout_seconds=first_seconds, flows=flows)
    first = find_drift(snapshot)
    asked = replace(first, findings=tuple(f for f in first.findings if f.code in codes))
    if not wants_second_look(asked):
        return Looked(snapshot=snapshot, drift=_certain(first, "nobody asked for it"), looks=1)
    time_left = until - time.monotonic() - _MARGIN_SECONDS - grace
    if time_left < _LEAST_LOOK_SECONDS:
        reason = f"no time was left to look again after {grace:g} s, as it must (--timeout gives it longer)"
        return Looked(snapshot=snapshot, drift=_certain(first, reason), looks=1)
    time.sleep(grace)
    snapshot = gatherer.look(timeout_seconds=round(time_left, 1), flows=flows)
    return Looked(snapshot=snapshot, drift=confirmed(first, find_drift(snapshot)), looks=2)


def _certain(drift: Drift, reason: str) -> Drift:
    """A single look's drift without what one look can't know; the codes concerned are unknown."""
    doubtful = {
        each.code for each in drift.findings if CODES[each.code].grace and each.severity is not Severity.OK
    }
    unknown = {code: Unknown(section="", reason=reason, skip=False) for code in doubtful}
    findings = tuple(each for each in drift.findings if each.code not in doubtful)
    return Drift(findings=findings, unknown={**drift.unknown, **unknown})
