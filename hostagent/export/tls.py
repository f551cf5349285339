"""TLS of the exporter: certificates that are renewed on disk hold from the next connection on."""

from __future__ import annotations

import logging
import os
import ssl
import threading
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from hostagent.errors import ConfigError

if TYPE_CHECKING:
    from hostagent.config.records import Export

_log = logging.getLogger(__name__)

# What says that a file is another one: device, inode, time of change, size.
Stamp: TypeAlias = tuple[int, int, int, int]


class Certificates:
    """A TLS context that follows its files.

    Raises:
        ConfigError: the settings contradict each other, or the files can't be used.
    """

    def __init__(self, export: Export) -> None:
        self._export = export
        self._lock = threading.Lock()
        self.problem = ""
        self._stamps = self._look()
        self._context = _load(export)

    def context(self) -> ssl.SSLContext | None:
        """The context to use now, None without TLS. Files that can't be used leave the last good ones."""
        if self._context is None:
            return None
        with self._lock:
            if (stamps := self._look()) != self._stamps:
                self._stamps = stamps
                try:
                    self._context = _load(self._export)
                    self.problem = ""
                    _log.info("certificate taken up again: %s", self._export.tls_certificate)
                except ConfigError as error:
                    self.problem = str(error)
                    _log.warning("%s; the certificate read before is still used", error)
            return self._context

    def _look(self) -> tuple[Stamp | None, ...]:
        export = self._export
        return tuple(
            stamp(path) for path in (export.tls_certificate, export.tls_key, export.tls_client_ca) if path
        )


def stamp(path: str) -> Stamp | None:
    """What changes when the file does; None where there is none."""
    try:
        found = Path(path).stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino, found.st_mtime_ns, found.st_size


def _load(export: Export) -> ssl.SSLContext | None:
    if not export.tls_certificate:
        for name in ("tls_key", "tls_client_ca"):
            if getattr(export, name):
                raise ConfigError((f"export.{name}: needs export.tls_certificate (set it, or remove this)",))
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_RENEGOTIATION
    name, path = "tls_certificate", export.tls_certificate
    try:
        # Without tls_key both are in one file. Never ask a terminal for a key's password.
        context.load_cert_chain(path, export.tls_key or None, password=lambda: "")
        if export.tls_client_ca:
            name, path = "tls_client_ca", export.tls_client_ca
            context.load_verify_locations(path)
            context.verify_mode = ssl.CERT_REQUIRED
    except ssl.SSLError as error:
        where = f"{path} and {export.tls_key}" if name == "tls_certificate" and export.tls_key else path
        raise ConfigError((f"export.{name}: {where} can't be used: {error.reason or error}",)) from error
    except OSError as error:
        raise ConfigError((_unreadable(export, error),)) from error
    return context


def _unreadable(export: Export, error: OSError) -> str:
    """Which of the files it was: OpenSSL's error does not say."""
    for name in ("tls_certificate", "tls_key", "tls_client_ca"):
        path = getattr(export, name)
        if path and not os.access(path, os.R_OK):
            hint = "chgrp hostagent and chmod 640" if Path(path).exists() else "is the path right?"
            return f"export.{name}: {path}: {os.strerror(error.errno or 0)} ({hint})"
    return f"export.tls_certificate: {os.strerror(error.errno or 0)}"
