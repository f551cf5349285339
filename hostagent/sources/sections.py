"""What each section is called in front of an operator, and why one has no value."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from hostagent.model.host import Trouble, Unavailable
from hostagent.sources.deadline import ReadError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hostagent.sources.deadline import Call

# The thing, and what to do when it hangs.
THINGS: Mapping[str, tuple[str, str]] = {
    "domains": ("libvirt", "is the daemon hung? systemctl status libvirtd virtqemud"),
    "ovs": ("OVSDB", "is ovsdb-server hung? systemctl status ovsdb-server"),
    "vswitchd": ("vswitchd", "is it hung? systemctl status ovs-vswitchd"),
    "flows": ("vswitchd's list of flows", "is it hung? systemctl status ovs-vswitchd"),
    "links": ("rtnetlink", "is the host overloaded? cat /proc/pressure/cpu"),
    "packet_sockets": ("vswitchd's packet sockets", "is the host overloaded? cat /proc/pressure/cpu"),
    "tap_holders": ("the open files in /proc", "is the host overloaded? cat /proc/pressure/cpu"),
    "ovs_ctl_options": ("Open vSwitch's start options", "is the disk hung? cat /proc/pressure/io"),
    "units": ("systemd", "is it hung? systemctl is-system-running"),
    "memory": ("the kernel's figures of memory", "is the host overloaded? cat /proc/pressure/memory"),
    "guests_memory": ("libvirt's figures of memory", "is it hung? systemctl status libvirtd virtqemud"),
    "dhcp": ("the DHCP servers' sockets and leases", "is the host overloaded? cat /proc/pressure/cpu"),
    "amqp": ("the list of TCP connections", "is the host overloaded? cat /proc/pressure/cpu"),
}

_LOG = logging.getLogger(__name__)


def failure(section: str, call: Call[object], until: float, seconds: float) -> ReadError | None:
    """Why there is no value by ``until`` (time.monotonic()), which is ``seconds`` long; None if there is."""
    thing, next_step = THINGS[section]
    if not call.wait(until):
        return ReadError(Trouble.UNRESPONSIVE, f"{thing} did not answer within {seconds:g} s ({next_step})")
    error = call.error
    if error is None or isinstance(error, ReadError):
        return error
    # The loop's edge: a fault in one reader must not blind the others.
    _LOG.debug("reading %s", section, exc_info=error)
    return ReadError(
        Trouble.INVALID,
        f"{thing} could not be read: {type(error).__name__}: {error} (a bug in hostagent: report it)",
    )


def not_asked(now: float) -> Unavailable:
    """OpenFlow rules, which cost too much to be read each time; ``now`` is seconds since the epoch."""
    return Unavailable(
        trouble=Trouble.NOT_ASKED,
        reason="OpenFlow rules are listed on request only (check --full)",
        since=now,
    )
