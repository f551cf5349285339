"""hostagent check --live: the host as this process reads it, without the agent."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from hostagent.cli.looking import look
from hostagent.cli.probing import with_probes
from hostagent.cli.words import printable, say
from hostagent.decide.drift.codes import CODES
from hostagent.decide.memory.view import view
from hostagent.errors import SourceError
from hostagent.health.api import Context
from hostagent.health.mutes import marked
from hostagent.health.runner import run
from hostagent.sources.agent import read_remembered
from hostagent.sources.gather import Gatherer

if TYPE_CHECKING:
    from hostagent.config import Settings
    from hostagent.health.loader import Checks
    from hostagent.health.report import Report
    from hostagent.model.published import Mute


def read_host(
    settings: Settings, checks: Checks, *, until: float, flows: bool, probes_until: float | None = None
) -> Report:
    """Judge the host by ``until`` (monotonic), with the agent's mutes where this user may read them.

    With ``probes_until`` the networks' DHCP renewals are probed as well, by then.
    """
    codes = frozenset(CODES if checks.site else checks.by_code)  # a site's check may look at any finding
    began = time.monotonic()
    looked = look(Gatherer(settings), settings, until=until, flows=flows, codes=codes)
    snapshot = looked.snapshot
    if probes_until is not None:
        snapshot = with_probes(snapshot, settings, until=probes_until)
    memory = view(snapshot.memory, snapshot.guests_memory, settings.memory)
    context = Context(snapshot=snapshot, drift=looked.drift, settings=settings, memory=memory)
    seconds = time.monotonic() - began
    report = run(checks, context, host=os.uname().nodename, looks=looked.looks, seconds=seconds)
    return marked(report, _mutes(settings), now=time.time())


def _mutes(settings: Settings) -> tuple[Mute, ...]:
    """The agent's mutes; without a word none where this user may not read them, as nothing is hidden then."""
    try:
        remembered = read_remembered(settings.paths.state_dir)
    except SourceError as error:
        say(f"hostagent: no mute is applied: {printable(str(error))}")
        return ()
    return () if remembered is None else remembered.mutes
