"""Answers libvirt's hook: may this guest start? From the last look alone, for libvirt waits for the answer.

A call to libvirt here would deadlock. Whatever is not known lets the guest start.
"""

from __future__ import annotations

import binascii
import logging
import threading
import time
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from hostagent.config.memory import Admit
from hostagent.daemon.admitted import Admitted
from hostagent.daemon.requests import number
from hostagent.decide.memory.admission import Admission, Figure, admit, request_of
from hostagent.decide.memory.reservations import advance
from hostagent.decide.memory.view import felt, view
from hostagent.errors import RefusedError
from hostagent.model.guests_memory import GuestsMemory, Promise
from hostagent.model.host import Unavailable
from hostagent.model.published import AdmissionCount, Admissions, MemoryTold
from hostagent.sources.hook import parse_start

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hostagent.config import Settings
    from hostagent.daemon.listening import Peer
    from hostagent.decide.memory.admission import Request
    from hostagent.decide.memory.view import MemoryView
    from hostagent.model.host import Snapshot
    from hostagent.model.memory import HostMemory

_LOG = logging.getLogger("hostagent")
_PATIENCE_SECONDS = 0.2  # after which the hook has let the guest start without an answer
_LOGGED = frozenset({"refused", "would-refuse", "recent", "late"})


class Gate:
    """Thread-safe. ``observe`` is for the loop, ``answer`` for the threads of the socket."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._view: MemoryView | None = None  # the last one that has the guests
        self._last: MemoryView | None = None  # the last one, for the loop's thread alone
        self._told: MemoryTold | None = None
        self._observed = False
        self._counts: Counter[tuple[str, str]] = Counter()
        self._asked_at: float | None = None
        self._kept = Admitted(settings.paths)

    def configure(self, settings: Settings) -> None:
        """Other settings hold from now on."""
        self._settings = settings

    def observe(self, snapshot: Snapshot) -> MemoryView | Unavailable:
        """Take up a look: the figures, who runs, and what has become of the starts that were admitted.

        Returns the view of the memory, which the checks of this look rest on too.
        """
        now, domains = snapshot.taken_at, snapshot.domains
        running = (
            None if isinstance(domains, Unavailable) else frozenset(each.uuid for each in domains.live())
        )
        guests = _present(snapshot.guests_memory, running)
        seen = view(snapshot.memory, guests, self._settings.memory, before=self._last)
        known = None if isinstance(seen, Unavailable) else seen
        self._last = known or self._last
        self._told = None if known is None else _told(known)
        self._take(known, running, now)
        if running is not None:
            self._kept.seen(running, now)
        self._observed = True
        return seen

    def feel(self, memory: HostMemory) -> bool:
        """Whether the level is another than the last look's, by the host's own figures: time for the next.

        Until then they count for how long it has been better.
        """
        if self._last is None:
            return False
        last, now = self._last, felt(self._last, memory)
        if (last.state.level, last.pressed.level) != (now.state.level, now.pressed.level):
            return True
        self._last = now
        return False

    def _take(self, seen: MemoryView | None, running: frozenset[str] | None, now: float) -> None:
        guests = None if seen is None else seen.guests
        with self._lock:
            kept, earlier = self._kept, self._view
            held = advance(kept.held, guests, now, active=running)
            if seen is not None and guests is not None:
                # Started while nobody could answer: the agent was down, or too slow for the hook.
                at_rest = kept.recently(now) if earlier is None else _uuids(earlier)
                known = at_rest | {each.uuid for each in held}
                if earlier is not None or at_rest:
                    held += tuple(
                        request_of(guest.promise, uuid=guest.uuid, name=guest.name).reserve(now)
                        for guest in guests.all()
                        if guest.uuid not in known
                    )
                    held = advance(held, guests, now, active=running)  # what they have taken already counts
                self._view = seen
            kept.hold(held)

    def answer(self, request: Mapping[str, Any], peer: Peer) -> Mapping[str, Any]:
        """Answer one hook.

        Raises:
            RefusedError: it is not for the asker, or is no question.
        """
        if peer.uid != 0:
            raise RefusedError("admit needs root")
        at = number(request, "at", least=0, most=float("inf"))
        try:
            start = parse_start(binascii.a2b_base64(str(request.get("xml", ""))))
        except ValueError as error:  # DomainXmlError, Unicode and base64 errors are ones
            self._count("unknown", Figure.NOTHING)
            raise RefusedError(f"the hook's XML can't be read: {error}") from error
        late = time.monotonic() - at > _PATIENCE_SECONDS
        with self._lock:
            now = time.time()
            asked = request_of(
                start.promise, uuid=start.uuid, name=start.name, ran_at=self._kept.ran.get(start.uuid)
            )
            result, answer = self._judge(asked, now, late=late)
            if answer.allowed or late:
                others = (each for each in self._kept.held if each.uuid != asked.uuid)
                self._kept.hold((*others, asked.reserve(now)))
        self._count(result, answer.figure)
        if result in _LOGGED:
            _LOG.warning("start of %s: %s: %s", start.name, result, answer.reason)
        if result != "refused":
            return {"ok": True, "result": result}
        words = f"hostagent refuses to start {start.name!r}: {answer.reason} (hostagent memory)"
        return {"ok": True, "result": result, "refused": words.encode().hex()}

    def fits(self, uuid: str, name: str, maximum: int) -> str:
        """Why a guest of so many bytes must not go on now, or "": for starts that the agent itself releases.

        It is not counted, and reserves nothing: the hook's question does that.
        """
        limits = self._settings.memory
        if not self._observed and Admit.ENFORCE in {limits.policy, limits.unmerge}:
            return "memory: it has not been looked at yet"
        now, seen = time.time(), self._view
        guests = None if seen is None else seen.guests
        known = None if guests is None else guests.by_uuid.get(uuid)
        promise = Promise(maximum=maximum, current=maximum, vcpus=1) if known is None else known.promise
        with self._lock:
            result, answer = self._judge(request_of(promise, uuid=uuid, name=name), now, late=False)
        return f"memory: {answer.reason}" if result == "refused" else ""

    def memory(self) -> MemoryTold | None:
        """What is published of the last look's memory; None where it could not be read."""
        return self._told

    def told(self) -> Admissions:
        """What is published: counts since the agent's start, and what is held now."""
        with self._lock:
            held = self._kept.held
            counts = tuple(
                AdmissionCount(result=result, figure=figure, count=count)
                for (result, figure), count in sorted(self._counts.items())
            )
            return Admissions(
                counts=counts,
                pending=len(held),
                pending_bytes=sum(each.pending for each in held),
                asked_at=self._asked_at,
            )

    def _judge(self, asked: Request, now: float, *, late: bool) -> tuple[str, Admission]:
        seen = self._view
        fresh = self._settings.agent.fresh_seconds
        if seen is None or now - seen.memory.counters.at > fresh:
            return "unknown", Admission(allowed=True, reason="there is no fresh look at the memory")
        held = self._kept.held
        limits = self._settings.memory
        answer = admit(seen.budget, asked, held, limits, now, level=seen.state.level)
        if late:
            return "late", answer
        if not answer.allowed:
            return "refused", answer
        if answer.figure is not Figure.NOTHING:
            return ("recent" if answer.reason.startswith("it ran") else "would-refuse"), answer
        if seen.budget.needed is None or seen.budget.available is None:
            return "unknown", answer
        return "admitted", answer

    def _count(self, result: str, figure: Figure) -> None:
        with self._lock:
            self._counts[result, "" if figure is Figure.NOTHING else figure.name.lower()] += 1
            self._asked_at = time.time()


def _present(
    guests: GuestsMemory | Unavailable, running: frozenset[str] | None
) -> GuestsMemory | Unavailable:
    """Without those that have stopped since they were read; the list of domains is always newer."""
    if running is None or isinstance(guests, Unavailable):
        return guests
    return GuestsMemory(by_uuid={uuid: each for uuid, each in guests.by_uuid.items() if uuid in running})


def _told(seen: MemoryView) -> MemoryTold:
    budget = replace(seen.budget, guests=None)  # totals alone: who has what is for `hostagent memory`
    return MemoryTold(
        at=seen.memory.counters.at, level=seen.state.level, since=seen.state.since, budget=budget
    )


def _uuids(seen: MemoryView) -> frozenset[str]:
    return frozenset() if seen.guests is None else frozenset(seen.guests.by_uuid)
