"""hostagent purge: what hostagent-purge.service runs, once per boot, before vswitchd and libvirt."""

from __future__ import annotations

import os
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hostagent.act.history import Did
from hostagent.act.purge import carry_out, leave_mark
from hostagent.cli.params import timeout_option
from hostagent.cli.session import EXIT_OK, EXIT_PARTIAL, EXIT_REFUSED, Session
from hostagent.cli.words import printable, put
from hostagent.decide.purge import plan_purge, ran_before
from hostagent.errors import ActError, RefusedError, SourceError
from hostagent.model.host import Trouble
from hostagent.model.units import PurgeMark, PurgeState
from hostagent.sources import boot
from hostagent.sources.deadline import ReadError
from hostagent.sources.ovsdb import read_ovs

if TYPE_CHECKING:
    from hostagent.config import Settings

# hostagent-purge.service gives it 5 s, interpreter included.
_SECONDS = 4.5
_NOT_ITS_PLACE = frozenset({Trouble.ABSENT, Trouble.UNREACHABLE})


@click.command
@timeout_option
@click.pass_obj
def purge(session: Session, *, timeout: float | None) -> int:
    """Delete libvirt's port records that a power cut left, before vswitchd starts. Run by the boot.

    Acts once per boot, and only while no guest, no tap and no libvirt daemon exists.
    Exit 0 done, nothing to do, or not the moment for it; 11 partial; 12 failed or not root.
    """
    settings = session.settings()
    if os.geteuid() != 0:
        session.fail("refused: a purge needs root (run by hostagent-purge.service)")
        return EXIT_REFUSED
    run_dir, boot_id = settings.paths.run_dir, boot.read_boot_id(settings.sources.proc_dir)
    if (earlier := _earlier(run_dir, boot_id)) is not None:
        put(f"purge: this boot had its purge already ({earlier.state}: {printable(earlier.reason)})\n")
        return EXIT_OK
    begun = PurgeMark(boot_id=boot_id, state=PurgeState.RUNNING, reason="it has not ended", at=time.time())
    path = Path(run_dir, boot.MARK)
    leave_mark(path, begun)
    until = session.started + (timeout or _SECONDS)

    def expire() -> None:
        words = f"timed out after {time.monotonic() - session.started:.1f} s"
        leave_mark(path, replace(begun, state=PurgeState.FAILED, reason=words))
        session.fail(f"purge {words}")
        sys.stderr.flush()
        os._exit(EXIT_REFUSED)

    timer = threading.Timer(max(0.0, until - time.monotonic()), expire)
    timer.daemon = True
    timer.start()
    mark, code = _purge(begun, settings, until)
    timer.cancel()
    mark = replace(mark, seconds=round(time.monotonic() - session.started, 3))
    leave_mark(path, mark)
    line = f"purge: {mark.state}: {printable(mark.reason)} ({mark.seconds:.2f} s)"
    put(f"{line}\n")
    return code


def _earlier(run_dir: str, boot_id: str) -> PurgeMark | None:
    try:
        return boot.read_mark(run_dir, boot_id)
    except ReadError:
        return None  # whatever it says, taps and guests decide


def _purge(begun: PurgeMark, settings: Settings, until: float) -> tuple[PurgeMark, int]:
    """The mark to leave, and the exit code."""
    seconds = max(0.1, until - time.monotonic() - 0.2)
    settings = replace(settings, looks=replace(settings.looks, timeout_seconds=seconds))
    ran = boot.read_stopped_guests()
    try:
        # Rows before links, as in every look: what libvirt added by then had its tap.
        ovs = read_ovs(settings.sources.ovsdb_socket, seconds=seconds)
        hypervisors = boot.read_hypervisors(settings.sources.proc_dir)
        plan = plan_purge(ovs, boot.read_taps(), hypervisors)
        if plan.refused:
            return replace(begun, state=PurgeState.SKIPPED, reason=plan.refused), EXIT_OK
        begun = replace(begun, ran=ran | ran_before(ovs))
        outcome = carry_out(plan, settings)
    except ReadError as error:
        state = PurgeState.SKIPPED if error.trouble in _NOT_ITS_PLACE else PurgeState.FAILED
        return replace(
            begun, state=state, reason=error.reason
        ), EXIT_OK if state is PurgeState.SKIPPED else EXIT_REFUSED
    except RefusedError as error:
        return replace(begun, state=PurgeState.SKIPPED, reason=str(error)), EXIT_OK
    except (ActError, SourceError) as error:
        return replace(begun, state=PurgeState.FAILED, reason=str(error)), EXIT_REFUSED
    for each in outcome.results:
        put(f"{each.state}: {each.kind} {printable(each.object)} {printable(each.reason)}".rstrip() + "\n")
    if not outcome.results:
        return replace(begun, state=PurgeState.NOTHING, reason="no stale record"), EXIT_OK
    done = sum(each.state is Did.DONE for each in outcome.results)
    reason = f"{done} of {len(outcome.results)} stale records deleted (hostagent undo {outcome.run})"
    state = PurgeState.DONE if outcome.done else PurgeState.FAILED
    return replace(
        begun, state=state, reason=reason, run=outcome.run
    ), EXIT_OK if outcome.done else EXIT_PARTIAL
