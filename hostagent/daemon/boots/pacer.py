"""Paces boots: a thread of its own that libvirt's events wake, and that decides from looks.

It never waits for a start or resume, which other threads carry out, nor the loop for it. One process at a
time paces: whoever has the lock (act.boot.lock).
"""

from __future__ import annotations

import logging
import threading
import time
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any

from hostagent.act.boot.guests import Guests
from hostagent.act.boot.held import HeldList
from hostagent.act.boot.lock import BootsLock
from hostagent.daemon.boots.beginning import Beginning, as_saved
from hostagent.daemon.boots.looks import Looks
from hostagent.daemon.boots.messages import Asked, Did, Handed, Message, Order, Sampled, Told
from hostagent.daemon.boots.people import answer
from hostagent.daemon.boots.progress import leased, measured, sampled
from hostagent.daemon.boots.sampler import Sampler
from hostagent.daemon.boots.saved import Saved, keep
from hostagent.daemon.boots.sight import Sight
from hostagent.daemon.boots.slowing import Slowing, unslowing
from hostagent.daemon.boots.state import State
from hostagent.daemon.boots.telling import told
from hostagent.daemon.boots.turns import Turns
from hostagent.daemon.boots.work import Work, carry_out
from hostagent.daemon.edge import Edge
from hostagent.daemon.requests import asked_by
from hostagent.errors import HostagentError, RefusedError
from hostagent.model.boot import BootState
from hostagent.model.boot_held import SLOWED
from hostagent.model.host import Unavailable
from hostagent.sources.boot import read_boot_id
from hostagent.sources.boots.reader import BootReader

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from hostagent.config import Settings
    from hostagent.daemon.listening import Peer
    from hostagent.model.boot_guests import BootGuest
    from hostagent.model.boot_told import BootsTold
    from hostagent.model.host import Snapshot

_LOG = logging.getLogger("hostagent")
_TICK_SECONDS = 0.5  # while somebody waits: spacing, retries and holds are looked at
_LONG_SECONDS = 30.0
_AGAIN_SECONDS = 1.0  # after an error
_ANSWER_SECONDS = 3.0
_CLOSE_SECONDS = 4.0  # the work ends first, then limits are taken back


class Pacer:
    """From start() to close().

    ``halted`` says why the agent may do nothing now, ``fits`` why a guest has no room in memory, or "".
    ``tell``, ``hand``, ``told`` and ``answer`` are for any thread.
    """

    def __init__(
        self, settings: Settings, *, halted: Callable[[], str], fits: Callable[[BootGuest], str]
    ) -> None:
        uri, paths = settings.sources.libvirt_uri, settings.paths
        self._halted = halted
        self._inbox: SimpleQueue[Message | None] = SimpleQueue()
        self._state = State(settings=settings, held=HeldList(paths.state_dir), boot_id="")
        self._guests = Guests(uri)
        self._reader = BootReader(uri, managed=settings.boot.managed)
        self._looks = Looks(self._state, self._reader, self._guests.saved)
        self._work = Work(self._guests, self._inbox.put)
        self._sampler = Sampler(lambda: self._state.settings, self._inbox.put)
        self._slowing = Slowing(self._state, self._looks, self._work.order)
        self._turns = Turns(
            self._state, self._looks, self._guests, self._slowing, order=self._work.order, fits=fits
        )
        self._sight = Sight(self._state, self._looks)
        self._lock = BootsLock(paths.run_dir)
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="boots", daemon=True)
        self._saved: Saved | None = None
        self._told: BootsTold | None = None
        self.changes = 0

    def start(self) -> None:
        """Begin: with the guests that an earlier agent left."""
        for each in (self._thread, self._work, self._sampler):
            each.start()

    def close(self) -> None:
        """End. Whom we hold stays held, for the next agent or the releaser; I/O limits are taken back."""
        self._ending.set()
        self._inbox.put(None)
        if self._thread.is_alive():
            self._thread.join(_CLOSE_SECONDS)
        self._sampler.close()

    def configure(self, settings: Settings) -> None:
        """Other settings hold from now on."""
        self._state.settings, self._reader.managed = settings, settings.boot.managed
        self._inbox.put(None)

    def tell(self, uuid: str, event: str, detail: str) -> None:
        """libvirt's word that something happened."""
        self._inbox.put(Told(uuid=uuid, event=event, detail=detail))

    def hand(self, snapshot: Snapshot) -> None:
        """What the loop has seen."""
        if not isinstance(snapshot.dhcp, Unavailable):
            self._inbox.put(Handed(leases=snapshot.dhcp.leases))

    def told(self) -> BootsTold | None:
        """How boots are, for others to read; None where there is no libvirt, or before the first look."""
        return self._told

    def answer(self, request: Mapping[str, Any], peer: Peer) -> Mapping[str, Any]:
        """Answer a person's request.

        Raises:
            HostagentError: why not, in one line.
        """
        if peer.uid != 0:
            raise RefusedError("boot needs root (run it with sudo)")
        asked = Asked(request=request, by=asked_by(request, peer))
        self._inbox.put(asked)
        if not asked.answered.wait(_ANSWER_SECONDS):
            raise HostagentError(f"boots are not looked after now: no answer within {_ANSWER_SECONDS:g} s")
        if asked.error:
            raise RefusedError(asked.error)
        return {"ok": True, **(asked.answer or {})}

    def _run(self) -> None:
        begun = False
        while not (begun or self._ending.is_set()):
            with Edge("boots"):
                begun = self._begin()
            self._ending.wait(0 if begun else _AGAIN_SECONDS)
        while not self._ending.is_set():
            messages = self._receive()
            with Edge("boots") as edge:
                self._round(messages)
            if edge.error is not None:
                self._sight.at_all()
                self._ending.wait(_AGAIN_SECONDS)
        self._work.close()
        if begun:
            with Edge("boots"):
                self._end()
        self._lock.drop()

    def _begin(self) -> bool:
        """Wait until nobody else paces, and take up what they left; False at the end."""
        state = self._state
        while not self._lock.take():
            if self._ending.wait(_TICK_SECONDS):
                return False
        state.boot_id = read_boot_id(state.settings.sources.proc_dir)
        state.held.recall()
        self._beginning = Beginning(state, self._looks)
        self._beginning.recall()
        return True

    def _receive(self) -> Sequence[Message]:
        """All that has come; waits for something, or until something is due."""
        found: list[Message] = []
        try:
            first = self._inbox.get(timeout=self._seconds())
            while True:
                if first is not None:
                    found.append(first)
                first = self._inbox.get_nowait()
        except Empty:
            return found

    def _seconds(self) -> float:
        now = time.monotonic()
        if self._sight.again_at is not None:
            return max(0.0, self._sight.again_at - now)
        slowed = any(each.kind == SLOWED for each in self._state.held.entries)
        if not slowed and not any(run.boot.queued for run in self._state.runs.boots.values()):
            return _LONG_SECONDS
        spaced = (self._state.runs.admitted_at or 0.0) + self._state.pacing.spacing_seconds - now
        return min(_TICK_SECONDS, spaced) if spaced > 0 else _TICK_SECONDS

    def _round(self, messages: Sequence[Message]) -> None:
        state, now = self._state, time.monotonic()
        state.halted = self._halted()
        for message in messages:
            self._take(message, now)
        self._sight.look(time.monotonic(), self._beginning.seen_all)
        self._turns.turn(time.monotonic())
        self._beginning.started()
        booting = any(run.boot.state is BootState.BOOTING for run in state.runs.boots.values())
        waiting = any(run.boot.queued for run in state.runs.boots.values())
        self._sampler.want(wanted=booting or waiting, only=measured(state))
        if not (booting or waiting):
            state.reads = {}
        self._tell()

    def _take(self, message: Message, now: float) -> None:
        if isinstance(message, Told):
            self._sight.told(message)
        elif isinstance(message, Sampled):
            sampled(self._state, message, self._slowing.end)
        elif isinstance(message, Did):
            self._turns.did(message, now)
            if message.order in {Order.START, Order.RESUME}:
                self._sight.at(message.uuid)
        elif isinstance(message, Handed):
            leased(self._state, message.leases)
        else:
            answer(self._state, message)

    def _tell(self) -> None:
        now = time.monotonic()
        self._told = None if self._sight.absent else told(self._state, now)
        saved = as_saved(self._state)
        if saved != self._saved:
            self._saved = saved
            self.changes += 1
            keep(self._state.settings.paths.run_dir, saved)

    def _end(self) -> None:
        """Take every I/O limit back; what can't be is left to the releaser."""
        for run in self._state.runs.boots.values():
            if (job := unslowing(run)) is not None:
                did = carry_out(self._guests, job)
                if did.done:
                    self._state.drop(run.guest.uuid)
                else:  # it may be on its way yet
                    why = did.error or "it is not there"
                    _LOG.warning("the I/O limit of %s is left to the releaser: %s", run.guest.name, why)
