"""The loop: gather → judge → plan → act → publish. Events only wake it; what it does it decides from a look.

While all is quiet it looks every interval and asks the daemons every few seconds whether they still answer.
It never waits for a source longer than a look may take, so that the watchdog is fed whatever hangs.
"""

from __future__ import annotations

import logging
import os
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from hostagent.daemon import changes
from hostagent.daemon.dhcp import Renewals
from hostagent.daemon.repairs import Repairer
from hostagent.decide.agent.budget import Budget
from hostagent.decide.agent.cycle import Cycle, Memory, Now, turn
from hostagent.decide.agent.latch import within_the_hour
from hostagent.health.api import Context
from hostagent.health.loader import load_checks
from hostagent.health.runner import run
from hostagent.health.since import with_since
from hostagent.sources.gather import Gatherer
from hostagent.sources.watch import Watches

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from hostagent.config import Settings
    from hostagent.daemon.notify import Notifier
    from hostagent.daemon.parts import Parts
    from hostagent.decide.memory.view import MemoryView
    from hostagent.health.report import Report
    from hostagent.model.host import Snapshot, Unavailable
    from hostagent.model.published import Hold, SourceHealth

_LOG = logging.getLogger("hostagent")
_SETTLE_SECONDS = 0.01  # events come in bursts: a tap, its row, vswitchd's answer
_ALIVE_SECONDS = 8.0  # between two signs of life while nothing changes; the exporter waits for 30
_LAST_LOOK_SECONDS = 1.0  # once the end has been asked for


class Loop:
    """One run of the agent with one configuration; ``run`` returns when ``stop`` was called."""

    def __init__(
        self, settings: Settings, parts: Parts, *, memory: Memory, report: Report | None = None
    ) -> None:
        self.memory = memory
        self.report = report
        self._settings = settings
        self._controls = parts.controls
        self._wakes = parts.wakes
        self._tally = parts.tally
        self._publisher = parts.publisher
        self._gate = parts.gate
        self._tuner = parts.tuner
        self._pacer = parts.pacer
        self._gatherer = Gatherer(settings)
        self._watches = Watches(settings, parts.wakes.wake, parts.pacer.tell)
        self._repairer = Repairer(settings, self._look, parts.tally)
        self._renewals = Renewals(
            settings,
            wake=lambda: parts.wakes.wake("dhcp"),
            held=lambda: bool(parts.controls.holds(time.time())),
        )
        self._checks = load_checks(settings.paths.checks_dir)
        self._ending = False
        self._budget = Budget(at=time.monotonic())
        self._sources: Sequence[SourceHealth] = ()
        self._holds: Sequence[Hold] = ()
        self._next_look = self._next_pulse = self._told_at = time.monotonic()
        self._woken_at: float | None = None
        self._boots = parts.pacer.changes

    def end(self) -> None:
        """Wait for no source any longer than must be; for signal handlers."""
        self._ending = True

    def run(self, notifier: Notifier, interrupted: Callable[[], bool]) -> None:
        """Work until ``interrupted``; what is begun on the host is ended first."""
        self._watches.start()
        self._renewals.start()
        try:
            while not interrupted():
                self._once()
                notifier.alive()
                notifier.status(self._publisher.words)
                if self._publisher.current is not None:
                    notifier.ready()
        finally:
            self._renewals.close()
            self._watches.close()
            self._gatherer.close()

    def _once(self) -> None:
        """Wait for the next thing to do, and do it."""
        if self._wakes.wait(min(self._next_look, self._next_pulse)):
            woken, now = self._wakes.take(), time.monotonic()
            if "dhcp" in woken.reasons:
                self._gatherer.forget("dhcp")
            self._woken_at = woken.first if self._woken_at is None else min(self._woken_at, woken.first)
            self._next_look = min(self._next_look, max(now + _SETTLE_SECONDS, self._budget.ready_at(now=now)))
            if now < self._next_look:
                return
        if time.monotonic() >= self._next_look:
            self._turn()
        else:
            self._pulse()

    def _turn(self) -> None:
        settings, began, now = self._settings, time.monotonic(), time.time()
        woken_at, self._woken_at = self._woken_at or began, None
        snapshot = self._look(reuse_seconds=settings.agent.interval_seconds * 0.9)
        ended = time.monotonic()
        self._tally.looked(ended - began)
        seen = self._gate.observe(snapshot)
        self._budget = self._budget.spent(ended - began, now=ended)
        holds = self._controls.holds(now)
        resumed_at = self._controls.resumed_at()
        done = within_the_hour(self._tally.done_at, now=now, resumed_at=resumed_at)
        cycle = turn(
            self.memory,
            snapshot,
            Now(
                began=began,
                woken_at=woken_at,
                holds=holds,
                done_within_the_hour=done,
                undone=self._repairer.undone(since=resumed_at),
            ),
            settings,
        )
        self.memory = self._repairer.remembered(self.memory, cycle.memory)
        self._next_look = min(began + settings.agent.interval_seconds, cycle.due or float("inf"))
        if cycle.latch and not any(each.kind == "latched" for each in holds):
            self._controls.latch(cycle.latch, now)
            holds = self._controls.holds(now)
        cycle = self._act(cycle, holds)
        self._judge(snapshot, cycle, seen, ended - began)
        self._tuner.turn(snapshot.memory, settings, held=bool(holds))
        self._renewals.hand(snapshot)
        self._pacer.hand(snapshot)
        self._say(holds)
        self._tell(cycle)
        self._repairer.prune()

    def _act(self, cycle: Cycle, holds: Sequence[Hold]) -> Cycle:
        """Carry out the plan, unless something has happened since the look that it rests on."""
        if cycle.plan is None and (self._repairer.recovered or holds):
            return cycle
        if cycle.plan is not None and self._wakes.pending:
            self._next_look = self._budget.ready_at(now=time.monotonic())
            return replace(cycle, plan=None, reason="something has happened meanwhile: looking again first")
        memory, reason = self._repairer.act(self.memory, cycle, since=self._controls.resumed_at())
        self.memory = memory
        if cycle.plan is not None:
            self._next_look = self._budget.ready_at(now=time.monotonic())
        return replace(cycle, reason=reason or cycle.reason)

    def _judge(
        self, snapshot: Snapshot, cycle: Cycle, seen: MemoryView | Unavailable, seconds: float
    ) -> None:
        boots = self._pacer.told()
        context = Context(
            snapshot=snapshot, drift=cycle.drift, settings=self._settings, memory=seen, boots=boots
        )
        fresh = run(self._checks, context, host=os.uname().nodename, seconds=seconds)
        report = self._controls.judged(with_since(self.report, fresh), time.time())
        for level, line in changes.of_checks(self.report, report):
            _LOG.log(level, "%s", line)
        self.report = report

    def _pulse(self) -> None:
        """Look before its time when a daemon is gone or back, the memory's level moves, or a hold ends."""
        self._tally.pulsed()
        holds = self._controls.holds(time.time())
        ended = {each.kind for each in self._holds} - {each.kind for each in holds}
        memory = self._gatherer.feel()
        felt = memory is not None and self._gate.feel(memory)
        if self._gatherer.pulse(self._look_seconds()) or ended or felt:
            self._next_look = time.monotonic()
            return
        changed = list(holds) != list(self._holds) or self._pacer.changes != self._boots
        self._say(holds)
        if changed or time.monotonic() >= self._told_at + _ALIVE_SECONDS:
            self._tell(None)
        else:
            self._next_pulse = time.monotonic() + self._settings.agent.pulse_seconds

    def _say(self, holds: Sequence[Hold]) -> None:
        sources = self._gatherer.health()
        lines = [*changes.of_sources(self._sources, sources), *changes.of_holds(self._holds, holds)]
        for level, line in lines:
            _LOG.log(level, "%s", line)
        self._sources, self._holds = sources, holds

    def _tell(self, cycle: Cycle | None) -> None:
        """Publish what is known now; without a cycle only that the loop lives."""
        self._told_at, self._boots = time.monotonic(), self._pacer.changes
        self._next_pulse = self._told_at + self._settings.agent.pulse_seconds
        if self.report is not None:
            self._publisher.publish(
                self.report,
                cycle,
                sources=tuple(self._sources),
                holds=tuple(self._holds),
                mutes=self._controls.mutes(),
                dhcp=self._renewals.told(),
                wakes=self._wakes.counts(),
            )

    def _look_seconds(self) -> float:
        return _LAST_LOOK_SECONDS if self._ending else self._settings.agent.look_seconds

    def _look(self, *, reuse_seconds: float = 60.0) -> Snapshot:
        """A look for the loop and, with what no repair rests on reused, for the executor."""
        return self._gatherer.look(timeout_seconds=self._look_seconds(), reuse_seconds=reuse_seconds)
