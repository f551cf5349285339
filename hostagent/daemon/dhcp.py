"""Whether DHCP renewals work, tried and watched beside the loop, which never waits for a probe.

The loop hands over each look; this thread asks one network at a time when its turn comes, leaves the reports
where the next look reads them, and wakes the loop when one says otherwise than the last. While a hold exists
nothing is asked and nothing removed.
"""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import replace
from functools import partial
from pathlib import Path
from random import SystemRandom
from typing import TYPE_CHECKING

from hostagent.act.dhcp.probe import probe_renew, probe_unicast, remove_leftovers
from hostagent.act.dhcp.probing import keep, merged, probe_one
from hostagent.daemon.edge import Edge
from hostagent.daemon.watching import Watching
from hostagent.decide.dhcp import judge, states, targets
from hostagent.decide.dhcp.schedule import Schedule
from hostagent.errors import HostagentError
from hostagent.model.dhcp import Layer
from hostagent.model.host import Trouble, Unavailable
from hostagent.sources.dhcp.probes import read_probes

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from hostagent.config import Settings
    from hostagent.decide.dhcp.schedule import Turn
    from hostagent.model.dhcp import ProbeReport, ProbeTarget
    from hostagent.model.host import Snapshot
    from hostagent.model.published import DhcpNetwork

_LOG = logging.getLogger("hostagent")
_STEP_SECONDS = 2.0  # so often holds and watchers are looked at; a wait costs next to nothing
_CLOSE_SECONDS = 1.5
_SWEEP_SECONDS = 60.0
_RANDOM = SystemRandom()


class Renewals:
    """A thread from start() to close(). ``held`` tells whether the agent must not act now."""

    def __init__(self, settings: Settings, *, wake: Callable[[], None], held: Callable[[], bool]) -> None:
        self._settings = settings
        self._wake = wake
        self._held = held
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._work, name="dhcp", daemon=True)
        self._handed: tuple[Sequence[ProbeTarget], Sequence[ProbeReport]] | None = None
        self._schedule = Schedule(every=settings.dhcp.probe_seconds)
        self._watching = Watching()
        self._lock = Path(settings.paths.run_dir) / "probe.lock"
        self._swept = False
        self._marked = False
        self._sweep_at = 0.0
        self._networks: tuple[DhcpNetwork, ...] = ()
        self._counts: Mapping[tuple[str, str], Mapping[str, int]] = {}

    def start(self) -> None:
        """Begin, with what probes of a killed process left behind."""
        self._thread.start()

    def close(self) -> None:
        """End, a probe that goes on too. One that waits for a bridge or OVSDB ends by itself, or with us."""
        self._ending.set()
        self._thread.join(_CLOSE_SECONDS)

    def hand(self, snapshot: Snapshot) -> None:
        """What the loop has just seen; a section that could not be read changes nothing."""
        dhcp = snapshot.dhcp
        if not isinstance(snapshot.ovs, Unavailable):
            self._marked = any("hostagent-probe" in each.external_ids for each in snapshot.ovs.ports.values())
        if isinstance(dhcp, Unavailable):
            self._networks = ()
            if dhcp.trouble is Trouble.ABSENT:
                self._handed = (), ()
            return
        judged = judge(dhcp, snapshot.domains, snapshot.taken_at)
        self._networks = states(dhcp, judged, snapshot.domains, snapshot.taken_at)
        self._handed = targets(dhcp, snapshot.ovs, snapshot.links), dhcp.probes

    def told(self) -> tuple[DhcpNetwork, ...]:
        """How each network is, for what the agent publishes."""
        counts = self._counts
        return tuple(
            replace(each, renewals=counts.get((each.network, each.server), {})) for each in self._networks
        )

    def _work(self) -> None:
        while not self._ending.is_set():
            with Edge("DHCP renewals") as edge:
                self._step()
            if edge.error is not None:
                self._ending.wait(_STEP_SECONDS)
            self._ending.wait(self._seconds())
        self._watching.close()

    def _seconds(self) -> float:
        turn = self._schedule.soonest()
        left = _STEP_SECONDS if turn is None else turn.due - time.monotonic()
        return _STEP_SECONDS if left <= 0 and self._held() else min(max(left, 0.0), _STEP_SECONDS)

    def _step(self) -> None:
        self._follow()
        if self._held():
            return
        if (self._marked or not self._swept) and time.monotonic() >= self._sweep_at:
            self._sweep()
        turn = self._schedule.soonest()
        if turn is not None and turn.due <= time.monotonic():
            self._ask(turn)

    def _follow(self) -> None:
        """Take up what the loop has seen since, and what guests did."""
        handed, self._handed = self._handed, None
        dhcp = self._settings.dhcp
        if handed is not None:
            known, reports = handed
            self._watching.follow([each for each in known if each.network in dhcp.passive])
            wanted = [each for each in known if dhcp.probe and each.network not in dhcp.passive]
            self._schedule = self._schedule.seen(
                wanted, reports, now=time.monotonic(), wall=time.time(), chance=_RANDOM.random
            )
        if news := self._watching.news():
            self._keep(news)
        self._counts = self._watching.counts()

    def _sweep(self) -> None:
        """Once, and whenever OVSDB shows a probe's row; unless nobody has probed since the boot."""
        self._sweep_at = time.monotonic() + _SWEEP_SECONDS
        if not (self._marked or self._lock.exists()):
            self._swept = True
            return
        try:
            removed = remove_leftovers(self._settings)
        except HostagentError as error:
            _LOG.warning("what DHCP probes may have left behind stays for now: %s", error)
            return
        if removed:
            _LOG.warning("removed what a killed DHCP probe had left behind: %d ports", removed)
        self._swept, self._marked = True, False

    def _ask(self, turn: Turn) -> None:
        function = probe_renew if turn.layer is Layer.RENEW else probe_unicast
        probe = partial(function, ended=self._ending.is_set)
        self._schedule = self._schedule.begun(turn, now=time.monotonic())
        report = probe_one(turn.target, self._settings, turn.layer, probe)
        self._schedule = self._schedule.told(report, now=time.monotonic(), chance=_RANDOM.random)
        if not self._ending.is_set():
            self._keep([report])

    def _keep(self, reports: Sequence[ProbeReport]) -> None:
        """Leave them for the next look, beside what others have left; wake the loop for news."""
        known = read_probes(self._settings.paths.run_dir)
        before = {(each.network, each.server, each.layer): each for each in known}
        keep(merged(known, reports), self._settings)
        for each in reports:
            old = before.get((each.network, each.server, each.layer))
            if old is None or (old.outcome, old.server_pid) != (each.outcome, each.server_pid):
                self._wake()
                return
