"""When to look at which domain: what libvirt has told of since, and at all of them now and then."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from hostagent.daemon.boots.looks import Event
from hostagent.errors import HostagentError
from hostagent.model.host import Trouble
from hostagent.sources.deadline import ReadError

if TYPE_CHECKING:
    from collections.abc import Callable

    from hostagent.daemon.boots.looks import Looks
    from hostagent.daemon.boots.messages import Told
    from hostagent.daemon.boots.state import State

_LOG = logging.getLogger("hostagent")
_ALL_SECONDS = 60.0  # between two looks at all domains: an event that was lost costs no more
_AGAIN_SECONDS = 1.0  # after libvirt did not answer


class Sight:
    """``absent``: there is no libvirt here, as far as is known; ``again_at`` is when it is asked again."""

    def __init__(self, state: State, looks: Looks) -> None:
        self.absent = True
        self.again_at: float | None = None
        self._state = state
        self._looks = looks
        self._events: dict[str, Event] = {}
        self._all_at = 0.0

    def at_all(self) -> None:
        """Look at every domain next."""
        self._all_at = 0.0

    def at(self, uuid: str) -> None:
        """Look at one domain next."""
        self._events.setdefault(uuid, Event())

    def told(self, message: Told) -> None:
        """libvirt's word; it only says where to look, and how a run began."""
        if message.uuid:
            event = self._events.setdefault(message.uuid, Event())
            if message.event == "started":
                event.cause, event.rebooted = message.detail, False
            elif message.event == "stopped":
                event.cause = ""
            elif message.event == "reboot":
                event.rebooted = True
        elif message.event == "connected":
            self.at_all()
        elif message.event == "lost":
            self._state.unseen()

    def look(self, now: float, seen_all: Callable[[float], None]) -> None:
        """Look where something happened; ``seen_all`` is called after a look at all domains."""
        everything = now >= self._all_at
        if (self.again_at is not None and now < self.again_at) or not (everything or self._events):
            return
        self.again_at = None
        try:
            if everything:
                self._looks.all(self._events, now)
                seen_all(now)
                self._events, self._all_at = {}, now + _ALL_SECONDS
            while self._events:
                uuid = next(iter(self._events))
                self._looks.one(uuid, self._events[uuid], now)
                del self._events[uuid]
            self._state.unknown_since, self.absent = None, False
        except ReadError as error:
            self.absent = error.trouble is Trouble.ABSENT
            if self._state.unknown_since is None and not self.absent:
                _LOG.warning("boots: %s", error)
            self._state.unseen()
            self.again_at = now + (_ALL_SECONDS if self.absent else _AGAIN_SECONDS)
        except HostagentError as error:
            _LOG.error("boots: %s", error)
            self.again_at = now + _AGAIN_SECONDS
