"""Answers libvirt's hook: may this guest start? From the last look alone, for libvirt waits for the answer.

A call to libvirt here would deadlock. Whatever is not known lets the guest start.
"""

from __future__ import annotations

import binascii
import logging
import threading
import time
from collections import Counter
from typing import TYPE_CHECKING, Any

from hostagent.daemon.admitted import Admitted, keep, recall
from hostagent.daemon.requests import number
from hostagent.decide.memory.admission import Admission, Figure, admit, request_of
from hostagent.decide.memory.reservations import advance
from hostagent.errors import RefusedError
from hostagent.model.host import Unavailable
from hostagent.model.published import AdmissionCount, Admissions
from hostagent.sources.hook import parse_start

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hostagent.config import Settings
    from hostagent.daemon.listening import Peer
    from hostagent.decide.memory.admission import Request
    from hostagent.decide.memory.view import MemoryView
    from hostagent.model.host import Snapshot

_LOG = logging.getLogger("hostagent")
_PATIENCE_SECONDS = 0.2  # after which the hook has let the guest start without an answer
_LOGGED = frozenset({"refused", "would-refuse", "recent", "late"})


class Gate:
    """Thread-safe. ``observe`` is for the loop, ``answer`` for the threads of the socket."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._view: MemoryView | None = None
        self._counts: Counter[tuple[str, str]] = Counter()
        self._asked_at: float | None = None
        self._kept = recall(settings.paths)

    def configure(self, settings: Settings) -> None:
        """Other settings hold from now on."""
        self._settings = settings

    def observe(self, snapshot: Snapshot, view: MemoryView | Unavailable) -> None:
        """Take up a look: the figures, who runs, and what has become of the starts that were admitted."""
        now = snapshot.taken_at
        domains = snapshot.domains
        active = None if isinstance(domains, Unavailable) else {each.uuid for each in domains.live()}
        guests = None if isinstance(view, Unavailable) else view.guests
        with self._lock:
            kept = self._kept
            if guests is not None and not isinstance(view, Unavailable):
                self._view = view
            held = advance(kept.reservations, guests, now, active=active)
            if guests is not None and kept.ran:
                # Started while nobody could answer: the agent was down, or too slow for the hook.
                known = {each.uuid for each in held} | kept.recently(now)
                held += tuple(
                    request_of(guest.promise, uuid=guest.uuid, name=guest.name).reserve(now)
                    for guest in guests.all()
                    if guest.uuid not in known
                )
            ran = kept.ran if active is None else {**kept.ran, **dict.fromkeys(active, now)}
            self._kept = keep(self._settings.paths, kept, Admitted(reservations=held, ran=ran), now)

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
                others = tuple(each for each in self._kept.reservations if each.uuid != asked.uuid)
                held = (*others, asked.reserve(now))
                wished = Admitted(reservations=held, ran=self._kept.ran)
                self._kept = keep(self._settings.paths, self._kept, wished, now)
        self._count(result, answer.figure)
        if result in _LOGGED:
            _LOG.warning("start of %s: %s: %s", start.name, result, answer.reason)
        if result != "refused":
            return {"ok": True, "result": result}
        words = f"hostagent refuses to start {start.name!r}: {answer.reason} (hostagent memory)"
        return {"ok": True, "result": result, "refused": words.encode().hex()}

    def told(self) -> Admissions:
        """What is published: counts since the agent's start, and what is held now."""
        with self._lock:
            held = self._kept.reservations
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
        view = self._view
        fresh = self._settings.agent.fresh_seconds
        if view is None or now - view.memory.counters.at > fresh:
            return "unknown", Admission(allowed=True, reason="there is no fresh look at the memory")
        held = self._kept.reservations
        limits = self._settings.memory
        answer = admit(view.budget, asked, held, limits, now, level=view.state.level)
        if late:
            return "late", answer
        if not answer.allowed:
            return "refused", answer
        if answer.figure is not Figure.NOTHING:
            return ("recent" if answer.reason.startswith("it ran") else "would-refuse"), answer
        if view.budget.needed is None or view.budget.available is None:
            return "unknown", answer
        return "admitted", answer

    def _count(self, result: str, figure: Figure) -> None:
        with self._lock:
            self._counts[result, "" if figure is Figure.NOTHING else figure.name.lower()] += 1
            self._asked_at = time.time()
