"""libvirt's word that domains changed: its events, over a connection of its own.

libvirt delivers events from an event loop, of which a process has one and which must be registered before the
connection is opened; the readers' connections are then served by it too. Their calls do not need it: a thread
that waits for an answer reads the socket itself (src/rpc/virnetclient.c). Only what a closed connection
leaves behind is cleared away by the loop, so it runs until the end.

A daemon that ends itself when idle (--timeout 120) is kept from it by this connection, and woken by it when
it has been stopped with its socket listening. Both are meant: each look asks libvirt and would wake it too.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from functools import cache, partial
from typing import TYPE_CHECKING

from hostagent.sources.deadline import ReadError
from hostagent.sources.libvirt import library
from hostagent.sources.libvirt_events import agent_word, lifecycle_words

if TYPE_CHECKING:
    from types import ModuleType

    import libvirt as lib

Told = Callable[[str, str, str], None]
# What changes a domain's state, XML or jobs. What a libvirt or driver does not have is left out.
_EVENTS = ("DEVICE_ADDED", "DEVICE_REMOVED", "JOB_COMPLETED")
_FIRST_SECONDS, _LAST_SECONDS = 0.5, 2.0  # between one connection and the next
_ABSENT_SECONDS = 10.0  # between one search for an installed libvirt and the next
# A daemon that answers no ping for 20 s loses us; what waits for it then is the next connection.
_PING_SECONDS, _PINGS = 5, 3
_CLOSE_SECONDS = 1.0

_LOG = logging.getLogger(__name__)


class LibvirtWatch:
    """Calls ``wake`` when domains changed, or the connection was made or lost.

    ``told`` hears more: of which domain, by UUID, and what, in libvirt's words ("started", "booted"); all
    lifecycle events, and ("reboot", ""), ("agent", "connected" or "disconnected"), ("metadata", ""). With ""
    for the UUID it hears ("connected", ""), after which every event is told, and ("lost", ""), after which
    none was. Both are called from threads of this watch, must return soon and must not raise.

    One thread opens and closes the connection and is stuck in that when the daemon hangs; one runs
    libvirt's event loop. There are never more of them.
    """

    def __init__(self, uri: str, wake: Callable[[], None], told: Told | None = None) -> None:
        self._uri = uri
        self._wake = wake
        self._told = told or _tell_nobody
        self._ending = threading.Event()
        self._lost = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="watch libvirt", daemon=True)

    def start(self) -> None:
        """Begin to watch, where there is a libvirt or as soon as there is."""
        if self._uri:
            self._thread.start()

    def close(self) -> None:
        """End the threads; one that is stuck in libvirt is left behind."""
        self._ending.set()
        self._lost.set()
        if self._thread.is_alive():
            self._thread.join(_CLOSE_SECONDS)

    def _keep(self) -> None:
        libvirt = self._await_library()
        if libvirt is None:
            return
        with _EventLoop(libvirt):
            pause = _FIRST_SECONDS
            while not self._ending.is_set():
                self._lost.clear()
                try:
                    self._watch(libvirt)
                    pause = _FIRST_SECONDS
                except libvirt.libvirtError as error:
                    _LOG.debug("libvirt can't be watched: %s", error)
                    pause = min(pause * 2, _LAST_SECONDS)
                self._ending.wait(pause)

    def _await_library(self) -> ModuleType | None:
        while not self._ending.is_set():
            try:
                return library(self._uri)
            except ReadError as error:
                _LOG.debug("%s", error)
                self._ending.wait(_ABSENT_SECONDS)
        return None

    def _watch(self, libvirt: ModuleType) -> None:
        """One connection, from its opening until it is lost or we end.

        Raises:
            libvirt.libvirtError: it can't be opened.
        """
        connection = libvirt.openReadOnly(self._uri)
        callbacks: list[int] = []
        connected = False
        try:
            connection.registerCloseCallback(self._on_close, None)
            _try(libvirt, partial(connection.setKeepAlive, _PING_SECONDS, _PINGS))
            for name, heard in self._heard().items():
                if (event := getattr(libvirt, f"VIR_DOMAIN_EVENT_ID_{name}", None)) is not None:
                    register = partial(connection.domainEventRegisterAny, None, event, heard, None)
                    if (number := _try(libvirt, register)) is not None:
                        callbacks.append(number)
            if connection.isAlive() and not self._ending.is_set():
                connected = True
                self._told("", "connected", "")
                self._wake()  # what changed before nobody told
                self._lost.wait()
        finally:
            _drop(libvirt, connection, callbacks)
            if connected:
                self._told("", "lost", "")
        self._wake()

    def _heard(self) -> dict[str, Callable[..., None]]:
        heard: dict[str, Callable[..., None]] = dict.fromkeys(_EVENTS, self._on_event)
        heard |= {"LIFECYCLE": self._on_lifecycle, "METADATA_CHANGE": self._on_metadata}
        if self._told is not _tell_nobody:
            heard |= {"REBOOT": self._on_reboot, "AGENT_LIFECYCLE": self._on_agent}
        return heard

    def _on_event(self, *_: object) -> None:
        self._wake()

    def _on_lifecycle(
        self, _connection: object, domain: lib.virDomain, event: int, detail: int, _opaque: object
    ) -> None:
        self._told(domain.UUIDString(), *lifecycle_words(event, detail))
        self._wake()

    def _on_metadata(self, _connection: object, domain: lib.virDomain, *_: object) -> None:
        self._told(domain.UUIDString(), "metadata", "")
        self._wake()

    def _on_reboot(self, _connection: object, domain: lib.virDomain, _opaque: object) -> None:
        self._told(domain.UUIDString(), "reboot", "")

    def _on_agent(self, _connection: object, domain: lib.virDomain, state: int, *_: object) -> None:
        self._told(domain.UUIDString(), "agent", agent_word(state))

    def _on_close(self, *_: object) -> None:
        self._lost.set()


class _EventLoop:
    """libvirt's event loop in a thread, as long as it is entered."""

    def __init__(self, libvirt: ModuleType) -> None:
        _register(libvirt)
        self._libvirt = libvirt
        self._ending = threading.Event()
        self._bell = libvirt.virEventAddTimeout(-1, self._rung, None)
        self._thread = threading.Thread(target=self._run, name="libvirt's events", daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._ending.set()
        self._libvirt.virEventUpdateTimeout(self._bell, 0)
        self._thread.join(_CLOSE_SECONDS)

    def _run(self) -> None:
        while not self._ending.is_set():
            try:
                self._libvirt.virEventRunDefaultImpl()
            except self._libvirt.libvirtError as error:
                _LOG.warning("libvirt's event loop: %s", error)
                self._ending.wait(_LAST_SECONDS)
        self._libvirt.virEventRemoveTimeout(self._bell)

    def _rung(self, *_: object) -> None:
        """Nothing: the loop has turned."""


def _tell_nobody(_uuid: str, _event: str, _detail: str) -> None:
    """Where only wakes are wanted."""


@cache
def _register(libvirt: ModuleType) -> None:
    """Once in a process: the second time would make the loop's pipe anew under its feet."""
    libvirt.virEventRegisterDefaultImpl()


def _try(libvirt: ModuleType, call: Callable[[], int]) -> int | None:
    """None where the driver has no such thing or the connection is lost already."""
    try:
        return call()
    except libvirt.libvirtError as error:
        _LOG.debug("watching libvirt: %s", error)
        return None


def _drop(libvirt: ModuleType, connection: lib.virConnect, callbacks: list[int]) -> None:
    # Each callback holds the connection, so that without this it would never be closed.
    for number in callbacks:
        _try(libvirt, partial(connection.domainEventDeregisterAny, number))
    _try(libvirt, connection.unregisterCloseCallback)
    _try(libvirt, connection.close)
