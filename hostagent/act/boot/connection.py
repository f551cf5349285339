"""One read-write connection to libvirt, opened again when it is lost."""

from __future__ import annotations

import contextlib
import threading
from importlib import import_module
from typing import TYPE_CHECKING, TypeVar

from hostagent.errors import ActError

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

    import libvirt as lib

T = TypeVar("T")

# A daemon that answers no ping for 20 s loses us. Pings need libvirt's event loop (virEventRunDefaultImpl),
# which runs where libvirt is watched; elsewhere a call waits as long as the daemon hangs.
_PING_SECONDS, _PINGS = 5, 3


class GuestError(ActError):
    """libvirt did not do it, in its own words; ``retryable`` where the same call may succeed later."""

    def __init__(self, words: str, *, code: int = 0, retryable: bool = False) -> None:
        super().__init__(" ".join(words.split()))
        self.code = code
        self.retryable = retryable


class Connection:
    """For any number of threads; a call blocks as long as libvirt does."""

    def __init__(self, uri: str) -> None:
        self._uri = uri
        self._lock = threading.Lock()
        self._connection: lib.virConnect | None = None

    def ask(self, what: str, question: Callable[[ModuleType, lib.virConnect], T]) -> T:
        """What ``question`` returns; it is asked a second time when the connection was lost meanwhile.

        Raises:
            GuestError: with ``what`` and libvirt's words.
        """
        libvirt = self._library()
        connection, kept = self._opened(libvirt)
        try:
            return question(libvirt, connection)
        except libvirt.libvirtError as error:
            if _alive(libvirt, connection) or not kept:
                raise self._failed(libvirt, connection, what, error) from error
        connection, _ = self._opened(libvirt)
        try:
            return question(libvirt, connection)
        except libvirt.libvirtError as error:
            raise self._failed(libvirt, connection, what, error) from error

    def close(self) -> None:
        """Drop the connection."""
        with self._lock:
            self._connection = None  # libvirt-python closes it with its last reference

    def _opened(self, libvirt: ModuleType) -> tuple[lib.virConnect, bool]:
        """The connection, and whether it was open before."""
        with self._lock:
            if self._connection is not None and _alive(libvirt, self._connection):
                return self._connection, True
            try:
                connection = libvirt.open(self._uri)
            except libvirt.libvirtError as error:
                self._connection = None
                words = str(error.get_error_message() or error)
                raise GuestError(
                    f"libvirt can't be reached at {self._uri}: {words} (systemctl status libvirtd.socket"
                    " virtqemud.socket)",
                    code=int(error.get_error_code() or 0),
                    retryable=True,
                ) from error
            with contextlib.suppress(
                libvirt.libvirtError
            ):  # no event loop here, or a driver without a daemon
                connection.setKeepAlive(_PING_SECONDS, _PINGS)
            self._connection = connection
            return connection, False

    def _failed(
        self, libvirt: ModuleType, connection: lib.virConnect, what: str, error: lib.libvirtError
    ) -> GuestError:
        code = int(error.get_error_code() or 0)
        # Another job held the domain for longer than libvirt waits (30 s), or the connection is gone.
        retryable = code == libvirt.VIR_ERR_OPERATION_TIMEOUT or not _alive(libvirt, connection)
        return GuestError(f"{what}: {error.get_error_message() or error}", code=code, retryable=retryable)

    def _library(self) -> ModuleType:
        if not self._uri:
            raise GuestError("no libvirt: sources.libvirt_uri is empty in the configuration")
        try:
            libvirt = import_module("libvirt")
        except ImportError as error:
            raise GuestError(
                f"libvirt's Python module is missing: {error} (install python3-libvirt)"
            ) from error
        # Without a handler the library prints every error to stderr.
        libvirt.registerErrorHandler(_say_nothing, None)
        return libvirt


def _alive(libvirt: ModuleType, connection: lib.virConnect) -> bool:
    try:
        return bool(connection.isAlive())
    except libvirt.libvirtError:
        return False


def _say_nothing(_context: object, _error: object) -> None:
    """Errors arrive as exceptions."""
