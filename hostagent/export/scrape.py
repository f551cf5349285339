"""What a scrape gets: the agent's metrics, made again only when the document or its freshness changed."""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING

from hostagent import __version__
from hostagent.export.document import Unread, freshness, read
from hostagent.export.metrics import families, render
from hostagent.export.shapes import counter, gauge
from hostagent.export.tls import stamp

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from hostagent.export.document import Document, Freshness
    from hostagent.export.tls import Stamp

_log = logging.getLogger(__name__)


class Scraper:
    """Reads one published.json. Any number of threads may use it.

    ``pulse_limit_seconds`` is how old the agent's last sign of life may be.
    """

    def __init__(self, path: Path, *, pulse_limit_seconds: float) -> None:
        self._path = path
        self._pulse_limit_seconds = pulse_limit_seconds
        self._lock = threading.Lock()
        self._stamp: Stamp | None = None
        self._document: Document | Unread = Unread(reason="not read yet")
        self._rendered: tuple[bool, bool] | None = None  # alive, look
        self._text = b""
        self._reason = ""
        self._scrapes = 0
        self._render_seconds = 0.0

    def follow(self, path: Path, pulse_limit_seconds: float) -> None:
        """Read another file from now on."""
        with self._lock:
            self._path, self._pulse_limit_seconds = path, pulse_limit_seconds
            self._stamp = None

    def ready(self) -> Freshness:
        """Whether the agent lives and has looked lately."""
        with self._lock:
            return self._look()

    def text(self, *, dropped: Mapping[str, int], problems: int) -> bytes:
        """The answer to a scrape; ``dropped`` connections and ``problems`` are the exporter's own."""
        with self._lock:
            self._scrapes += 1
            self._agents_text()
            return self._text + self._own(dropped, problems)

    def agent_text(self) -> bytes:
        """The agent's metrics alone, for a file that somebody else serves."""
        with self._lock:
            self._agents_text()
            return self._text

    def _agents_text(self) -> None:
        began = time.perf_counter()
        fresh = self._look()
        if self._rendered != (fresh.alive, fresh.look):
            self._text = render(families(self._document, fresh))
            self._rendered = (fresh.alive, fresh.look)
            self._render_seconds = time.perf_counter() - began

    def _look(self) -> Freshness:
        """Read the file if it is another one than before, and log once when the agent comes or goes."""
        now_stamp = stamp(str(self._path))
        if now_stamp is None or now_stamp != self._stamp:
            self._document = read(self._path)
            self._stamp = now_stamp
            self._rendered = None
        fresh = freshness(self._document, now=time.time(), pulse_limit_seconds=self._pulse_limit_seconds)
        if bool(fresh.reason) != bool(self._reason):
            _log.warning("%s", fresh.reason) if fresh.reason else _log.info("the agent's metrics are fresh")
        self._reason = fresh.reason
        return fresh

    def _own(self, dropped: Mapping[str, int], problems: int) -> bytes:
        reasons = {(why,): float(count) for why, count in dropped.items()}
        seconds = self._render_seconds
        about = "Connections ended for being slow, or for making room when too many were open."
        return render(
            [
                gauge(
                    "exporter_build_info",
                    "The exporter's version, as a label.",
                    {(__version__,): 1.0},
                    "version",
                ),
                counter("exporter_scrapes", "Scrapes answered.", float(self._scrapes)),
                gauge("exporter_render_seconds", "How long it took to make the agent's metrics.", seconds),
                counter("exporter_dropped_connections", about, reasons, "reason"),
                gauge(
                    "exporter_config_problems",
                    "Faults in the exporter's settings or certificates since it took them up.",
                    float(problems),
                ),
            ]
        )
