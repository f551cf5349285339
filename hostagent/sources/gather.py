"""All sources, read at once, each failing by itself → Snapshot.

Order, so that what is only just being made does not look broken. libvirt makes the tap, then adds its row;
os-vif does it the other way round. Rows are read before links: a row that libvirt added had its link by
then. Links are read before packet sockets and tap holders: what a new tap lacks in these, it lacks now. A
late OVSDB delays the others at most until half of the time is gone. libvirt is asked at the same time, so a
domain that starts or stops meanwhile can show a row too few: that is what looking after the grace is for.
"""

from __future__ import annotations

import time
from functools import partial
from math import inf
from typing import TYPE_CHECKING, TypeVar, cast

from hostagent.model.host import SECTIONS, Snapshot, Trouble, Unavailable
from hostagent.model.published import SourceHealth
from hostagent.sources.deadline import Call, ReadError, SourceThread
from hostagent.sources.dhcp.reader import DhcpReader
from hostagent.sources.guests_memory import GuestsMemoryReader
from hostagent.sources.libvirt import LibvirtReader
from hostagent.sources.memory import MemoryReader
from hostagent.sources.ovsdb import OvsdbReader
from hostagent.sources.packet_sockets import read_packet_sockets
from hostagent.sources.procfs import read_ovs_ctl_options, read_tap_holders
from hostagent.sources.rtnetlink import read_links
from hostagent.sources.sections import THINGS, failure, not_asked
from hostagent.sources.systemd import read_units
from hostagent.sources.tcp import AmqpReader
from hostagent.sources.vswitchd import VswitchdReader

if TYPE_CHECKING:
    from collections.abc import Callable

    from hostagent.config import Settings
    from hostagent.model.guests import Domains
    from hostagent.model.guests_memory import GuestsMemory
    from hostagent.model.memory import HostMemory
    from hostagent.model.units import Units

T = TypeVar("T")

_OWN_SHARE = 0.9  # of the time is for readers that keep deadlines themselves; they say best what hangs
_ORDER_SHARE = 0.5  # of the time one source waits for another
_PULSE_SECONDS = 2.0  # a daemon that needs longer for the smallest question is worth a look
_CLOSE_SECONDS = 1.0
_GUESTS_SECONDS = 0.5  # no older than the host's own memory: a guest's growth is not what "all others" take
_DHCP_SECONDS = 5.0  # the looks of a burst of events share one reading, which enters every namespace
_UNITS_TIMES = 3  # as old as others may be: who may reuse looks for ever, and units seldom change
_UNITS_SECONDS = 5.0  # reading them runs systemctl, 0.1 s of CPU: the looks of one repair share one reading


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
        self._dhcp = DhcpReader(
            libvirt_uri=sources.libvirt_uri, proc_dir=sources.proc_dir, run_dir=settings.paths.run_dir
        )
        self._amqp = AmqpReader(settings.amqp, sources.proc_dir)
        self._memory = MemoryReader(sources.proc_dir)
        self._guests = GuestsMemoryReader(sources.libvirt_uri, proc_dir=sources.proc_dir)
        self._threads: dict[str, SourceThread] = {}
        self._failed: dict[str, Unavailable] = {}
        self._read_at: dict[str, float] = {}
        self._kept: dict[str, tuple[float, object]] = {}
        self._live: frozenset[str] = frozenset()

    def look(
        self, *, timeout_seconds: float | None = None, flows: bool = False, reuse_seconds: float = 0.0
    ) -> Snapshot:
        """Read everything, within ``timeout_seconds`` (the settings' by default).

        ``flows`` also asks vswitchd for all OpenFlow rules. What no repair rests on may have been read at
        most ``reuse_seconds`` ago: ovs_ctl_options and amqp so long, units three times as long, guests_memory
        0.5 s, dhcp 5 s. tap_holders is not among them: whether a tap may be deleted rests on it. Never raises
        because of the host.
        """
        seconds = self._timeout_seconds if timeout_seconds is None else timeout_seconds
        began, taken_at = time.monotonic(), time.time()
        until, own, order = began + seconds, began + seconds * _OWN_SHARE, began + seconds * _ORDER_SHARE

        def after(earlier: Callable[[float], bool], call: Callable[[], T]) -> Callable[[], T]:
            def ordered() -> T:
                earlier(order)
                return call()

            return ordered

        def reusing(
            section: str, call: Callable[[], T], least: float = 0.0, most: float = inf
        ) -> Callable[[], T]:
            return partial(self._reuse, section, call, min(most, max(least, reuse_seconds)))

        def take(section: str, call: Call[T]) -> T | Unavailable:
            return self._take(section, call, until, seconds)

        ovs = self._ask("ovs", lambda: self._ovsdb.read(own))
        domains = self._ask("domains", self._domains)
        vswitchd = self._ask("vswitchd", lambda: self._vswitchd.read(own))
        links = self._ask("links", after(ovs.wait, read_links))
        sockets = self._ask("packet_sockets", after(links.wait, lambda: self._packet_sockets(own)))
        holders = self._ask("tap_holders", after(links.wait, lambda: read_tap_holders(self._proc_dir)))
        options = self._ask("ovs_ctl_options", reusing("ovs_ctl_options", read_ovs_ctl_options))
        least = max(_UNITS_SECONDS, reuse_seconds * _UNITS_TIMES)
        units = self._ask("units", reusing("units", lambda: self._units(own), least))
        amqp = self._ask("amqp", reusing("amqp", lambda: self._amqp.read(own)))
        memory = self._ask("memory", self._memory.read)
        kept = reusing("guests_memory", self._guests.read, _GUESTS_SECONDS, most=_GUESTS_SECONDS)
        guests = self._ask("guests_memory", after(domains.wait, lambda: self._guests_memory(kept)))
        dhcp = self._ask("dhcp", reusing("dhcp", lambda: self._dhcp.read(own), most=_DHCP_SECONDS))
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
            amqp=take("amqp", amqp),
            memory=take("memory", memory),
            guests_memory=take("guests_memory", guests),
            dhcp=take("dhcp", dhcp),
            flows=not_asked(taken_at) if rules is None else take("flows", rules),
        )

    def pulse(self, timeout_seconds: float) -> frozenset[str]:
        """The daemons' sections that are otherwise than at the last look: gone, back, or failing anew.

        One small question to each daemon; none to one that still owes an answer. Changes nothing of what is
        known: that is for the look which follows. Takes at most ``timeout_seconds``, and never over 2 s.
        """
        seconds = min(timeout_seconds, _PULSE_SECONDS)
        until = time.monotonic() + seconds
        own = until - seconds * (1 - _OWN_SHARE)
        asked: dict[str, Call[object]] = {
            "domains": self._ask("domains", self._libvirt.pulse),
            "ovs": self._ask("ovs", lambda: self._ovsdb.read(own)),  # an echo, when nothing has changed
            "vswitchd": self._ask("vswitchd", lambda: self._vswitchd.pulse(own)),
        }
        found = set()
        for section, call in asked.items():
            error, before = failure(section, call, until, seconds), self._failed.get(section)
            if (error and error.trouble) != (before and before.trouble):
                found.add(section)
        return frozenset(found)

    def forget(self, section: str) -> None:
        """The next look reads this section, however new what is known of it."""
        self._kept.pop(section, None)

    def feel(self) -> HostMemory | None:
        """The host's own memory, in half a millisecond; None where it can't be read."""
        call, until = self._ask("memory", self._memory.read), time.monotonic() + _PULSE_SECONDS
        return None if failure("memory", call, until, _PULSE_SECONDS) else call.take()

    def health(self) -> tuple[SourceHealth, ...]:
        """How each section fared at the last look that asked for it."""
        found = []
        for section in SECTIONS:
            failed, read_at = self._failed.get(section), self._read_at.get(section)
            if failed is not None:
                trouble, reason, since = failed.trouble.value, failed.reason, failed.since
                found.append(
                    SourceHealth(
                        section=section, trouble=trouble, reason=reason, since=since, read_at=read_at
                    )
                )
            elif read_at is not None:
                found.append(SourceHealth(section=section, read_at=read_at))
        return tuple(found)

    def close(self) -> None:
        """Give up the connections, in the threads that use them; a stuck thread is left behind."""
        closing = (
            ("domains", self._libvirt.close),
            ("ovs", self._ovsdb.close),
            ("guests_memory", self._guests.close),
            ("dhcp", self._dhcp.close),
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

    def _domains(self) -> Domains:
        found = self._libvirt.read()
        self._live = frozenset(each.uuid for each in found.live())
        return found

    def _guests_memory(self, read: Callable[[], GuestsMemory]) -> GuestsMemory:
        """What was read of other guests than run by now counts for nothing: a start may rest on it."""
        kept = self._kept.get("guests_memory")
        if kept is not None and cast("GuestsMemory", kept[1]).by_uuid.keys() != self._live:
            del self._kept["guests_memory"]
        return read()

    def _units(self, until: float) -> Units:
        return read_units(self._run_dir, until, proc_dir=self._proc_dir)

    def _reuse(self, section: str, call: Callable[[], T], seconds: float) -> T:
        """In the section's thread: what was read at most ``seconds`` ago, else what the call returns."""
        kept = self._kept.get(section)
        now = time.monotonic()
        if kept is None or seconds <= 0 or now - kept[0] > seconds:
            kept = self._kept[section] = now, call()
        return cast("T", kept[1])

    def _ask(self, section: str, call: Callable[[], T]) -> Call[T]:
        if section not in self._threads:
            self._threads[section] = SourceThread(THINGS[section][0])
        return self._threads[section].start(call)

    def _take(self, section: str, call: Call[T], until: float, seconds: float) -> T | Unavailable:
        error = failure(section, call, until, seconds)
        now = time.time()
        if error is None:
            self._failed.pop(section, None)
            kept = self._kept.get(section)
            self._read_at[section] = now if kept is None else now - (time.monotonic() - kept[0])
            return call.take()
        before = self._failed.get(section)
        since = now if before is None else before.since
        self._failed[section] = Unavailable(trouble=error.trouble, reason=error.reason, since=since)
        return self._failed[section]
