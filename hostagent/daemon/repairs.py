"""The agent's hand: carries out what a turn decided, and counts what came of it."""

from __future__ import annotations

import logging
import time
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from hostagent.act import places
from hostagent.act.executor import Executor
from hostagent.act.history import Did, runs, taken_back
from hostagent.act.journal import paths, prune
from hostagent.decide.agent.witness import Record
from hostagent.errors import ActError, HostagentError, JournalError, RefusedError, SourceError
from hostagent.model import plain

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from hostagent.act.history import Run
    from hostagent.act.outcome import Outcome
    from hostagent.config import Settings
    from hostagent.daemon.tally import Tally
    from hostagent.decide.agent.cycle import Cycle, Memory
    from hostagent.model.host import Snapshot
    from hostagent.model.plan import Plan, Step

WHO = "hostagent agent"
_LOG = logging.getLogger("hostagent")
_LOCK_SECONDS = 2.0  # somebody who holds the lock for longer is repairing: the next turn sees what came of it
_DAY_SECONDS = 86_400.0
_LAST_RUNS = 200  # are looked through for what a person has undone


class Repairer:
    """Acts through the executor, under the lock that ``hostagent fix`` takes as well."""

    def __init__(self, settings: Settings, look: Callable[[], Snapshot], tally: Tally) -> None:
        short = replace(settings.repair, barrier_seconds=min(settings.repair.barrier_seconds, 2.0))
        self._settings = replace(settings, repair=short)
        self._executor = Executor(self._settings, look, lock_wait_seconds=_LOCK_SECONDS)
        self._tally = tally
        self._path = rows_path(settings)
        self._undone_runs: tuple[Run, ...] = ()
        self._journal_seen: list[tuple[str, int, int]] = []
        self._pruned_at = 0.0
        self.recovered = False

    def act(self, memory: Memory, cycle: Cycle, *, since: float) -> tuple[Memory, str]:
        """End dead runs, then carry out the plan; the memory with what failed, and how it went in words.

        What a person took back after ``since`` is left alone, also when that is only just happening.
        """
        try:
            if not self.recovered:
                for line in self._executor.recover(who=WHO):
                    _LOG.warning("%s", line)
                self.recovered = True
            if cycle.plan is None:
                return memory, ""
            outcome = self._executor.apply(cycle.plan, who=WHO, undone=partial(self.undone, since=since))
        except (ActError, SourceError) as error:
            self.recovered = isinstance(error, RefusedError) and self.recovered
            return self._refused(memory, cycle.plan, error)
        return self._told(memory, cycle.plan, cycle, outcome, self.undone(since=since))

    def undone(self, *, since: float) -> Mapping[str, str]:
        """Objects whose repair a person took back after ``since``; read again when the journal is another.

        The newest file has not always the last name: runs of one second stand in no order.
        """
        try:
            found = ((each.name, each.stat()) for each in paths(self._settings)[-_LAST_RUNS:])
            seen = [(name, stat.st_mtime_ns, stat.st_size) for name, stat in found]
            if seen != self._journal_seen:
                self._undone_runs, self._journal_seen = runs(self._settings, last=_LAST_RUNS), seen
        except (OSError, JournalError) as error:
            _LOG.warning("%s", error)
        return taken_back(self._undone_runs, since=datetime.fromtimestamp(since, UTC))

    def prune(self) -> None:
        """Delete what is older than agent.journal_days, once a day."""
        now = time.time()
        if now < self._pruned_at + _DAY_SECONDS:
            return
        self._pruned_at = now
        before = now - self._settings.agent.journal_days * _DAY_SECONDS
        try:
            prune(self._settings, before=before)
        except JournalError as error:
            _LOG.warning("%s", error)

    def remembered(self, before: Memory, after: Memory) -> Memory:
        """``after``, with its record of rows on disk if it is another one."""
        if after.record is not before.record:
            try:
                places.replace(self._path, plain.text(after.record), mode=0o600)
            except OSError as error:
                _LOG.error("can't write %s: %s; inherited columns lose a witness", self._path, error.strerror)
        return after

    def _refused(self, memory: Memory, plan: Plan | None, error: HostagentError) -> tuple[Memory, str]:
        words = f"not acting: {error}"
        if plan is None:
            return memory, words
        _LOG.warning("%s", words)
        now = time.monotonic()
        for step in plan.steps:
            self._tally.ended(step.codes, "refused")
            memory = replace(memory, tries=memory.tries.after(step, reason=str(error), now=now))
        return memory, words

    def _told(
        self, memory: Memory, plan: Plan, cycle: Cycle, outcome: Outcome, undone: Mapping[str, str]
    ) -> tuple[Memory, str]:
        now = time.monotonic()
        for step, result in zip(plan.steps, outcome.results, strict=True):
            self._tally.ended(step.codes, result.state)
            if result.state is Did.DONE:
                self._tally.repaired(_latency(step, cycle, now))
                _LOG.warning("repaired %s: %s: %s (%s)", result.id, step.kind, step.object, step.reason)
            else:
                _LOG.warning("%s %s %s: %s", step.kind, step.object, result.state, result.reason)
            # Dropped means that the host had moved on: the next look decides anew, but not at once for ever.
            failed = result.state is not Did.DONE and step.object not in undone
            reason = f"{result.state}: {result.reason}" if failed else ""
            memory = replace(memory, tries=memory.tries.after(step, reason=reason, now=now))
        done = sum(each.state is Did.DONE for each in outcome.results)
        return memory, f"repaired {done} of {len(outcome.results)} (hostagent history)"


def rows_path(settings: Settings) -> Path:
    """Where the record of rows is kept."""
    return Path(settings.paths.state_dir) / "rows.json"


def kept_record(settings: Settings) -> Record:
    """The record of rows from before; an empty one if there is none or it can't be read, which is said."""
    path = rows_path(settings)
    try:
        return plain.from_text(Record, path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Record()
    except (OSError, ValueError, RecursionError) as error:
        _LOG.warning("%s can't be used: %s; rows are recorded anew", path, error)
        return Record()


def _latency(step: Step, cycle: Cycle, now: float) -> float | None:
    woken = [
        at
        for each in cycle.drift.findings
        if each.object == step.object and (at := cycle.memory.suspicions.woken_at(each)) is not None
    ]
    return now - min(woken) if woken else None
