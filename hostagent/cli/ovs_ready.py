"""hostagent ovs-ready: what hostagent-ovs-ready.service waits for before libvirt may start."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import click

from hostagent.cli.params import timeout_option
from hostagent.cli.session import EXIT_CRIT, EXIT_OK
from hostagent.cli.words import printable, put
from hostagent.sources.deadline import ReadError
from hostagent.sources.ovs_ready import wait_ready

if TYPE_CHECKING:
    from hostagent.cli.session import Session


@click.command("ovs-ready")
@timeout_option
@click.pass_obj
def ovs_ready(session: Session, *, timeout: float | None) -> int:
    """Wait until Open vSwitch forwards: vswitchd answers and has every bridge in its datapath.

    Exit 0 as soon as it does, or at once without Open vSwitch; 2 when it does not in time.
    """
    settings = session.settings()
    seconds = timeout or settings.looks.timeout_seconds
    sources = settings.sources
    try:
        reason = wait_ready(sources.ovsdb_socket, sources.ovs_run_dir, session.started + seconds)
    except ReadError as error:
        put(f"ovs-ready: nothing to wait for: {printable(error.reason)}\n")
        return EXIT_OK
    waited = time.monotonic() - session.started
    if reason:
        session.fail(f"Open vSwitch does not forward after {waited:.1f} s: {reason}")
        return EXIT_CRIT
    put(f"ovs-ready: Open vSwitch forwards ({waited:.2f} s)\n")
    return EXIT_OK
