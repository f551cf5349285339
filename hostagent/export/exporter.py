"""hostagent-exporter: serves what the agent published to Prometheus, or writes it to a file once.

It reads published.json and its own settings, and touches neither libvirt, Open vSwitch nor root.
SIGHUP takes up the settings again, SIGTERM ends it at once.
"""

from __future__ import annotations

import argparse
import logging
import selectors
import signal
import socket
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from hostagent import __version__
from hostagent.config import DEFAULT_FILE, load
from hostagent.errors import ConfigError
from hostagent.export import pages, textfile
from hostagent.export.document import FILE
from hostagent.export.metrics import pulse_limit
from hostagent.export.scrape import Scraper
from hostagent.export.server import Connections
from hostagent.export.tls import Certificates

if TYPE_CHECKING:
    import ssl

    from hostagent.config import Settings
    from hostagent.config.records import Export
    from hostagent.export.wire import Request, Response

_log = logging.getLogger(__name__)

EXIT_FAILED = 1
EXIT_CONFIG = 78  # EX_CONFIG of sysexits.h: the unit does not try again

_BACKLOG = 256
_NO_ROOM_SECONDS = 0.1  # without a descriptor left the socket stays ready: do not spin


def main() -> int:
    """Run until SIGTERM, or write the file that --textfile names; return the exit code."""
    options = _options()
    logging.basicConfig(format="%(message)s", level=logging.INFO, stream=sys.stderr)
    try:
        settings = _load(options.config)
        if options.textfile is not None:
            textfile.write(options.textfile, _scraper(settings).agent_text())
            return 0
        return Exporter(settings, options.config).run()
    except ConfigError as error:
        for problem in error.problems:
            _log.error("%s", problem)
        return EXIT_CONFIG
    except OSError as error:
        what = "" if options.textfile is None else f"{options.textfile}: can't be written: "
        _log.error("%s%s", what, error.strerror or error)
        return EXIT_FAILED


class Exporter:
    """The process: one listening socket, the settings that hold, and what answers."""

    def __init__(self, settings: Settings, config: Path | None) -> None:
        self._config = config
        self._settings = settings
        self._certificates = Certificates(settings.export)
        self._scraper = _scraper(settings)
        self._problems = 0
        self._connections = Connections(self._answer, self._context)
        self._selector = selectors.DefaultSelector()

    def run(self) -> int:
        """Serve until SIGTERM or SIGINT."""
        # Python writes each signal's number there, which wakes the loop; the handlers themselves do nothing.
        inner, outer = socket.socketpair()
        for end in (inner, outer):
            end.settimeout(0)
        for number in (signal.SIGHUP, signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: None)
        signal.set_wakeup_fd(outer.fileno())
        self._selector.register(inner, selectors.EVENT_READ)
        self._listener = self._listen(self._settings.export)
        while True:
            ready = {key.fileobj for key, _ in self._selector.select(self._connections.expire())}
            if inner in ready:
                came = set(inner.recv(4096))
                if came & {signal.SIGTERM, signal.SIGINT}:
                    return 0
                self._reload()
            elif self._listener in ready:
                self._accept()

    def _accept(self) -> None:
        try:
            stream, peer = self._listener.accept()
        except OSError as error:  # it went away before, or there are no descriptors left
            _log.warning("a connection could not be accepted: %s", error.strerror)
            time.sleep(_NO_ROOM_SECONDS)
            return
        self._connections.take(stream, str(peer[0]))

    def _listen(self, export: Export) -> socket.socket:
        """Listen as the settings say.

        Raises:
            OSError: with the address in it.
        """
        where = f"{export.address}, TCP port {export.port}"
        family = socket.AF_INET6 if ":" in export.address else socket.AF_INET
        try:
            listener = socket.create_server(
                (export.address, export.port),
                family=family,
                backlog=_BACKLOG,
                dualstack_ipv6=export.address == "::" and socket.has_dualstack_ipv6(),
            )
        except OSError as error:
            raise OSError(error.errno, f"can't listen on {where}: {error.strerror} (ss -ltnp)") from error
        listener.settimeout(0)
        self._selector.register(listener, selectors.EVENT_READ)
        _log.info("listening on %s, %s", where, "HTTPS" if export.tls_certificate else "HTTP")
        return listener

    def _reload(self) -> None:
        """Take up the settings again; with a fault in them what held before still holds."""
        try:
            settings = _load(self._config)
            certificates = Certificates(settings.export)
        except ConfigError as error:
            self._problems = len(error.problems)
            for problem in error.problems:
                _log.error("%s; the settings read before still hold", problem)
            return
        before, self._settings = self._settings.export, settings
        self._certificates, self._problems = certificates, 0
        self._scraper.follow(*_followed(settings))
        _log.info("settings taken up again")
        if (before.address, before.port) != (settings.export.address, settings.export.port):
            self._move(before, settings.export)

    def _move(self, before: Export, after: Export) -> None:
        """Listen elsewhere, or go on where it was.

        Raises:
            OSError: somebody has taken the old place meanwhile.
        """
        # The old socket first: 127.0.0.1 and 0.0.0.0 can't be listened on at once.
        self._selector.unregister(self._listener)
        self._listener.close()
        try:
            self._listener = self._listen(after)
        except OSError as error:
            self._problems = 1
            _log.error("%s; listening where it was", error.strerror)
            self._listener = self._listen(before)

    def _answer(self, request: Request) -> Response:
        return pages.answer(request, metrics=self._metrics, ready=self._scraper.ready)

    def _context(self) -> ssl.SSLContext | None:
        return self._certificates.context()

    def _metrics(self) -> bytes:
        problems = self._problems + bool(self._certificates.problem)
        return self._scraper.text(dropped=self._connections.dropped, problems=problems)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="hostagent-exporter", description="Prometheus metrics of hostagent.", allow_abbrev=False
    )
    parser.add_argument("--config", type=Path, metavar="FILE", help="settings file, TOML")
    parser.add_argument(
        "--textfile", type=Path, metavar="FILE", help="write the metrics to FILE once and end; opens no port"
    )
    parser.add_argument("--version", action="version", version=f"hostagent {__version__}")
    return parser.parse_args()


def _load(config: Path | None) -> Settings:
    return load(config or Path(DEFAULT_FILE), required=config is not None)


def _followed(settings: Settings) -> tuple[Path, float]:
    """The file to read, and how old the agent's last sign of life in it may be, in seconds."""
    return Path(settings.paths.run_dir) / FILE, pulse_limit(settings.agent.pulse_seconds)


def _scraper(settings: Settings) -> Scraper:
    path, limit = _followed(settings)
    return Scraper(path, pulse_limit_seconds=limit)
