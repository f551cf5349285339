"""All sources, read at once, each failing by itself → Snapshot.

Order, so that what is only just being made does not look broken. libvirt makes the tap, then adds its row;
os-vif does it the other way round. Rows are read before links: a row that libvirt added had its link by
then. Links are read before packet sockets and tap holders: what a new tap lacks in these, it lacks now. A
late OVSDB delays the others at most until half of the time is gone. libvirt is asked at the same time as
all of these, so a domain that starts or stops during a look can still show a row or an interface too few;
that is what looking again after the grace is for.
"""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, TypeVar

from hostagent.model.host import Snapshot, Trouble, Unavailable
from hostagent.sources.deadline import Call, ReadError, SourceThread
from hostagent.sources.guests_memory import GuestsMemoryReader
from hostagent.sources.libvirt import LibvirtReader
from hostagent.sources.memory import MemoryReader
from hostagent.sources.ovsdb import OvsdbReader
from hostagent.sources.packet_sockets import read_packet_sockets
from hostagent.sources.procfs import read_ovs_ctl_options, read_tap_holders
from hostagent.sources.rtnetlink import read_links
from hostagent.sources.systemd import read_units
from hostagent.sources.vswitchd import VswitchdReader

if TYPE_CHECKING:
    from collections.abc import Callable

    from hostagent.config import Settings
    from hostagent.model.guests_memory import GuestsMemory
    from hostagent.model.units import Units

T = TypeVar("T")

_LOG = logging.getLogger(__name__)
_OWN_SHARE = 0.9  # of the time is for readers that keep deadlines themselves; they say best what hangs
_ORDER_SHARE = 0.5  # of the time one source waits for another
_CLOSE_SECONDS = 1.0
_UNITS_SECONDS = 5.0  # reading them runs systemctl, 0.1 s of CPU
_GUESTS_SECONDS = 5.0  # at 200 guests reading their XML and processes takes 0.1 s of CPU

# What each section is called in front of an operator, and what to do when it hangs.
_THINGS = {
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
}


class Gatherer:
    """Looks at the host, again and again: keeps connections, and since when each section is unavailable."""

    def __init__(self, settings: Settings) -> None:
        sources = settings.sources
        self._timeout_seconds = settings.looks.timeout_seconds
        self._proc_dir = sources.proc_dir
        self._run_dir = settings.paths.run_dir
        self._libvirt = LibvirtReader(sources.libvirt_uri)
        self._ovsdb = OvsdbReader(sources.ovsdb_socket)
        self._vswitchd = VswitchdReader(run_dir=sources.ovs_run_dir)
        self._memory = MemoryReader(sources.proc_dir)
        self._guests = GuestsMemoryReader(sources.libvirt_uri, proc_dir=sources.proc_dir)
        self._threads: dict[str, SourceThread] = {}
        self._since: dict[str, float] = {}
        self._units: tuple[float, Units] | None = None
        self._guests_memory: tuple[float, GuestsMemory] | None = None

    def look(self, *, timeout_seconds: float | None = None, flows: bool = False) -> Snapshot:
        """Read everything, within ``timeout_seconds`` (the settings' by default).

        ``flows`` also asks vswitchd for all OpenFlow rules. Never raises because of the host.
        """
        seconds = self._timeout_seconds if timeout_seconds is None else timeout_seconds
        began, taken_at = time.monotonic(), time.time()
        until, own, order = began + seconds, began + seconds * _OWN_SHARE, began + seconds * _ORDER_SHARE

        def after(earlier: Callable[[float], bool], call: Callable[[], T]) -> Callable[[], T]:
            def ordered() -> T:
                earlier(order)
                return call()

            return ordered

        def take(section: str, call: Call[T]) -> T | Unavailable:
            return self._take(section, call, until, seconds)

        ovs = self._ask("ovs", lambda: self._ovsdb.read(own))
        domains = self._ask("domains", self._libvirt.read)
        vswitchd = self._ask("vswitchd", lambda: self._vswitchd.read(own))
        links = self._ask("links", after(ovs.wait, read_links))
        sockets = self._ask("packet_sockets", after(links.wait, lambda: self._packet_sockets(own)))
        holders = self._ask("tap_holders", after(links.wait, lambda: read_tap_holders(self._proc_dir)))
        options = self._ask("ovs_ctl_options", read_ovs_ctl_options)
        units = self._ask("units", lambda: self._units_of(own))
        memory = self._ask("memory", self._memory.read)
        guests = self._ask("guests_memory", self._memory_of_guests)
        rules = self._ask("flows", lambda: self._vswitchd.read_flows(own)) if flows else None
        return Snapshot(
            taken_at=taken_at,
            ovs=take("ovs", ovs),
            domains=take("domains", domains),
            vswitchd=take("vswitchd", vswitchd),
            links=take("links", links),
            packet_sockets=take("packet_sockets", sockets),
            tap_holders=take("tap_holders", holders),
            ovs_ctl_options=take("ovs_ctl_options", options),
            units=take("units", units),
            memory=take("memory", memory),
            guests_memory=take("guests_memory", guests),
            flows=_not_asked(taken_at) if rules is None else take("flows", rules),
        )

    def close(self) -> None:
        """Give up the connections, in the threads that use them; a stuck thread is left behind."""
        closing = (
            ("domains", self._libvirt.close),
            ("ovs", self._ovsdb.close),
            ("guests_memory", self._guests.close),
        )
        asked = [self._ask(section, close) for section, close in closing if section in self._threads]
        until = time.monotonic() + _CLOSE_SECONDS
        for call in asked:
            call.wait(until)
        for thread in self._threads.values():
            thread.close()
        self._threads.clear()

    def _packet_sockets(self, until: float) -> frozenset[int]:
        pid = self._vswitchd.pid(until)
        if pid <= 0:
            raise ReadError(
                Trouble.INVALID,
                "vswitchd's process can't be seen from this PID namespace (run hostagent on the host)",
            )
        return read_packet_sockets(pid, self._proc_dir)

    def _units_of(self, until: float) -> Units:
        """systemd's view, which no repair rests on: the looks of one repair share what the first one read."""
        now = time.monotonic()
        if self._units is None or now - self._units[0] > _UNITS_SECONDS:
            self._units = now, read_units(self._run_dir, until, proc_dir=self._proc_dir)
        return self._units[1]

    def _memory_of_guests(self) -> GuestsMemory:
        """What the guests' memory is; like units, which no repair rests on."""
        now = time.monotonic()
        if self._guests_memory is None or now - self._guests_memory[0] > _GUESTS_SECONDS:
            self._guests_memory = now, self._guests.read()
        return self._guests_memory[1]

    def _ask(self, section: str, call: Callable[[], T]) -> Call[T]:
        if section not in self._threads:
            self._threads[section] = SourceThread(_THINGS[section][0])
        return self._threads[section].start(call)

    def _take(self, section: str, call: Call[T], until: float, seconds: float) -> T | Unavailable:
        failure = _failure(section, call, until, seconds)
        if failure is None:
            self._since.pop(section, None)
            return call.take()
        since = self._since.setdefault(section, time.time())
        return Unavailable(trouble=failure.trouble, reason=failure.reason, since=since)


def _failure(section: str, call: Call[T], until: float, seconds: float) -> ReadError | None:
    """Why there is no value, None if there is one."""
    thing, next_step = _THINGS[section]
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


def _not_asked(now: float) -> Unavailable:
    return Unavailable(
        trouble=Trouble.NOT_ASKED,
        reason="OpenFlow rules are listed on request only (check --full)",
        since=now,
    )
