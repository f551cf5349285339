"""Takes back what pacing did to guests, slowly, while no agent does it: hostagent-release.service."""

from __future__ import annotations

import json
import logging
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from hostagent.act.boot.agent_unit import start_again
from hostagent.act.boot.guests import Guests
from hostagent.act.boot.held import HeldList
from hostagent.act.boot.lock import BootsLock
from hostagent.act.lock import refuse_if_stopped
from hostagent.daemon.boots import autostart
from hostagent.decide.boot.releasing import Kind, Next, Past, age_of, next_step, starts, task
from hostagent.errors import ActError, JournalError, RefusedError
from hostagent.model.host import Trouble
from hostagent.model.plain import record
from hostagent.model.remembered import FILE, Remembered
from hostagent.sources.boot import read_boot_id
from hostagent.sources.boots.reader import BootReader
from hostagent.sources.deadline import ReadError
from hostagent.sources.manager import agent_state, node_state

if TYPE_CHECKING:
    from hostagent.config import Settings
    from hostagent.daemon.notify import Notifier
    from hostagent.decide.boot.releasing import Pace, Task

_LOG = logging.getLogger("hostagent")
_BAD_SETTINGS = ("1", "78")  # CLD_EXITED, EX_CONFIG: trying again would not help
_TURN_SECONDS = 1.0  # between two looks at whether the agent is back
_TRIES = 3  # of a start


@dataclass(slots=True)
class _Memory:
    """What this process has done and tried; times are monotonic seconds."""

    begun_at: float
    released_at: float | None = None
    failed: dict[str, float] = field(default_factory=dict)
    tries: dict[str, int] = field(default_factory=dict)
    said: str = ""


class Releaser:
    """One process; ends when nothing is left, when the agent is back, and when the node is shut down.

    Killed at any instruction and run again it goes on where it was: the held list says who is left, and each
    guest is looked at before anything is done to it.
    """

    def __init__(self, settings: Settings, notifier: Notifier, pace: Pace, *, forced: bool = False) -> None:
        self._settings = settings
        self._notifier = notifier
        self._pace = pace
        self._forced = forced  # the package goes: nobody's pause counts any more
        self._run_dir, state_dir = settings.paths.run_dir, settings.paths.state_dir
        self._lock = BootsLock(self._run_dir)
        self._held = HeldList(state_dir)
        self._guests = Guests(settings.sources.libvirt_uri)
        self._reader = BootReader(
            settings.sources.libvirt_uri, managed=settings.boot.managed, disk_root="/proc/self/root"
        )
        self._boot_id = read_boot_id(settings.sources.proc_dir)
        self._memory = _Memory(begun_at=time.monotonic())

    def run(self) -> bool:
        """Do it all; whether it can be left at that.

        Raises:
            HostagentError: it can't even begin.
        """
        while True:
            if node_state() == "stopping":
                _LOG.info("the node is shutting down: guests stay as they are")
                return True
            if not self._lock.take():
                _LOG.info("the agent is back and paces boots itself")
                return True
            try:
                step = self._turn()
            finally:
                self._lock.drop()
            if step.seconds is None and step.task is None:
                break
            self._notifier.status(step.reason)
            if step.seconds is not None:
                time.sleep(min(step.seconds, _TURN_SECONDS))
        return self._agent_again()

    def _turn(self) -> Next:
        """Look, and carry out what is due."""
        self._held.recall()
        try:
            tasks = self._tasks()
        except ReadError as error:
            return self._blind(error)
        step = next_step(
            tasks,
            Past(
                begun_at=self._memory.begun_at,
                released_at=self._memory.released_at,
                failed=self._memory.failed,
            ),
            time.monotonic(),
            pace=self._pace,
            starting=node_state() in {"initializing", "starting"},
            halted=self._halted(),
        )
        if step.task is not None:
            self._carry_out(step.task)
        return step

    def _tasks(self) -> list[Task]:
        """What there is to do now, for every guest.

        Raises:
            ReadError: libvirt does not say.
        """
        pending = autostart.pending(self._run_dir)
        if not self._held.entries and pending is not None and not pending:
            return []
        guests = {guest.uuid: guest for guest in self._reader.guests()}
        found = []
        for entry in self._held.entries:
            guest = guests.get(entry.uuid)
            running = guest is not None and guest.id is not None
            figures = self._reader.figures_of(entry.uuid) if running else None
            saved = guest is not None and not running and self._guests.saved(entry.uuid)
            age = age_of(entry, now=time.time(), uptime=time.monotonic())
            found.append(task(entry, guest, figures, boot_id=self._boot_id, saved=saved, age=age))
        left = starts(guests.values(), pending)
        if pending is None and self._forced:
            left = ()  # no agent ran in this boot: what is off by now is meant to be
        elif pending is None and left:
            autostart.keep(self._run_dir, frozenset(each.uuid for each in left))
        tries = self._memory.tries
        return found + [each for each in left if tries.get(each.uuid, 0) < _TRIES]

    def _carry_out(self, due: Task) -> None:
        memory, now = self._memory, time.monotonic()
        try:
            done = self._do(due)
        except JournalError as error:
            _LOG.error("%s", error)  # the next one finds the guest running, and forgets it then
            memory.failed[due.uuid] = now
            return
        except ActError as error:
            memory.failed[due.uuid] = now
            if due.kind is Kind.START:
                memory.tries[due.uuid] = memory.tries.get(due.uuid, 0) + 1
            given_up = memory.tries.get(due.uuid, 0) >= _TRIES
            _LOG.warning("%s: %s%s", due.name, error, "; given up: virsh start it" if given_up else "")
            return
        if not done:  # it changed since the look: the next turn sees how
            memory.failed[due.uuid] = now - self._pace.again + _TURN_SECONDS
        elif due.kind in {Kind.RESUME, Kind.START}:
            memory.released_at = now

    def _do(self, due: Task) -> bool:
        """Carry out one task; whether the guest was still as it was seen.

        Raises:
            ActError: libvirt refuses, or the disk.
        """
        uuid, guests = due.uuid, self._guests
        entry = self._held.of(uuid)
        if due.kind is Kind.START:
            guests.start(uuid)
            autostart.keep(self._run_dir, (autostart.pending(self._run_dir) or frozenset()) - {uuid})
            _LOG.info("started %s: %s", due.name, due.reason)
            return True
        if due.kind is Kind.FORGET:
            _LOG.info("forgot %s: %s", due.name, due.reason)
        elif due.kind is Kind.UNSLOW and entry is not None:
            guests.unslow(uuid, due.run, entry.disks, entry.iops)  # False: its limit is another by now
            _LOG.info("%s has its disks back: %s", due.name, due.reason)
        elif due.kind is Kind.WAKE:
            if not guests.wake(uuid):
                return False
            _LOG.info("%s goes on when it is started: %s", due.name, due.reason)
        elif due.kind is Kind.RESUME and entry is not None:
            if not guests.resume(uuid, due.run):
                return False
            _LOG.info("resumed %s after %.0f s: %s", due.name, time.time() - entry.since, due.reason)
        self._held.drop(uuid)
        return True

    def _blind(self, error: ReadError) -> Next:
        """libvirt does not say: guests that are held are worth any patience, others the grace."""
        waited = time.monotonic() - self._memory.begun_at
        gone = error.trouble is Trouble.ABSENT or (not self._held.entries and waited >= self._pace.grace)
        if error.reason != self._memory.said:
            self._memory.said = error.reason
            _LOG.warning("%s", error.reason)
        if gone:
            return Next()
        return Next(seconds=self._pace.resume, reason=error.reason)

    def _halted(self) -> str:
        """Why a person wants nothing to be done, or ""."""
        if self._forced:
            return ""
        try:
            refuse_if_stopped(self._settings)
            raw = Path(self._settings.paths.state_dir, FILE).read_bytes()
            paused = record(Remembered, json.loads(raw)).paused
        except RefusedError as error:
            return str(error)
        except (OSError, ValueError, OverflowError, RecursionError):
            return ""  # the agent tells what is wrong with it
        return f"paused ({paused.reason}): hostagent resume ends it" if paused is not None else ""

    def _agent_again(self) -> bool:
        """Start the agent again where it had crashed too often; not where its settings are wrong."""
        state = agent_state()
        if self._forced or state.get("ActiveState") != "failed":
            return True
        if (state.get("ExecMainCode"), state.get("ExecMainStatus")) == _BAD_SETTINGS:
            _LOG.warning("the agent stays down: its settings are wrong (hostagent config validate)")
            return True
        words = f"the agent failed ({state.get('Result')}) and is started again"
        self._notifier.status(words)
        while (left := self._memory.begun_at + self._pace.grace - time.monotonic()) > 0:
            time.sleep(min(left, _TURN_SECONDS))
        if node_state() == "stopping" or agent_state().get("ActiveState") != "failed":
            return True
        _LOG.info("%s", words)
        try:
            start_again()
        except ActError as error:
            _LOG.error("%s", error)
            return False
        return True
