"""Reads all counters every few seconds while guests boot, and nothing while none does."""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from hostagent.daemon.boots.messages import Sampled
from hostagent.errors import SourceError
from hostagent.sources.boots.diskstats import read_disks, read_io_pressure
from hostagent.sources.boots.reader import BootReader

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from hostagent.config import Settings
    from hostagent.model.boot import DiskStats
    from hostagent.model.boot_guests import Figures

_CLOSE_SECONDS = 1.0


class Sampler:
    """A thread from start() to close(); ``tell`` is called in it. ``settings`` are asked for each time."""

    def __init__(self, settings: Callable[[], Settings], tell: Callable[[Sampled], None]) -> None:
        self._settings = settings
        self._tell = tell
        self._wanted = threading.Event()
        self._ending = threading.Event()
        self._only: frozenset[str] = frozenset()
        self._thread = threading.Thread(target=self._work, name="boot samples", daemon=True)

    def start(self) -> None:
        """Begin; the first sample comes when somebody wants one."""
        self._thread.start()

    def want(self, *, wanted: bool, only: frozenset[str] = frozenset()) -> None:
        """Whether samples are read from now on, and of which guests: each costs its monitor's answer."""
        self._only = only
        if wanted:
            self._wanted.set()
        else:
            self._wanted.clear()

    def close(self) -> None:
        """End; a thread that is stuck in libvirt is left behind."""
        self._ending.set()
        self._wanted.set()
        if self._thread.is_alive():
            self._thread.join(_CLOSE_SECONDS)

    def _work(self) -> None:
        reader = BootReader(self._settings().sources.libvirt_uri)
        while True:
            self._wanted.wait()
            if self._ending.is_set():
                break
            began = time.monotonic()
            self._tell(self._read(reader))
            self._ending.wait(max(0.1, began + self._settings().boot.sample_seconds - time.monotonic()))
        reader.close()

    def _read(self, reader: BootReader) -> Sampled:
        proc = self._settings().sources.proc_dir
        disks: Mapping[str, DiskStats] = {}
        figures: Figures | None = None
        with suppress(SourceError):  # the pacer tells who else has lost sight of libvirt
            figures = reader.figures(self._only)
        with suppress(SourceError):
            disks = read_disks(proc)
        return Sampled(figures=figures, disks=disks, full_avg10=read_io_pressure(proc), at=time.monotonic())
