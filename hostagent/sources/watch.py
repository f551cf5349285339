"""What wakes the agent: changes of links, of OVSDB's rows and of libvirt's domains.

Level triggers only: wake() says that something may have changed, never what. Whoever is woken looks at the
host; a change that nobody told of is seen at the next look all the same.
"""

from __future__ import annotations

import os
import select
import threading
import time
from functools import partial
from typing import TYPE_CHECKING

from hostagent.sources.watch_libvirt import LibvirtWatch
from hostagent.sources.watch_links import LinksWatch
from hostagent.sources.watch_ovsdb import OvsdbWatch

if TYPE_CHECKING:
    from collections.abc import Callable

    from hostagent.config import Settings
    from hostagent.sources.watch_libvirt import Told

_CLOSE_SECONDS = 1.0


class Watches:
    """Calls wake("links" | "ovsdb" | "libvirt"), from threads of its own, between start() and close().

    ``told`` hears libvirt's events themselves: see LibvirtWatch.
    """

    def __init__(self, settings: Settings, wake: Callable[[str], None], told: Told | None = None) -> None:
        sources = settings.sources
        self._polled = (
            LinksWatch(partial(wake, "links")),
            OvsdbWatch(sources.ovsdb_socket, partial(wake, "ovsdb")),
        )
        self._libvirt = LibvirtWatch(sources.libvirt_uri, partial(wake, "libvirt"), told)
        self._ending = threading.Event()
        self._thread: threading.Thread | None = None
        self._bell = -1

    def start(self) -> None:
        """Begin to watch; what is not there yet is waited for."""
        self._bell = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self._thread = threading.Thread(target=self._run, name="watch links and OVSDB", daemon=True)
        self._thread.start()
        self._libvirt.start()

    def close(self) -> None:
        """End the threads; one that is stuck in libvirt is left behind. Not to be started again."""
        self._libvirt.close()
        if self._thread is not None:
            self._ending.set()
            os.eventfd_write(self._bell, 1)
            self._thread.join(_CLOSE_SECONDS)
            os.close(self._bell)
            self._thread = None

    def _run(self) -> None:
        while not self._ending.is_set():
            poll = select.poll()
            poll.register(self._bell, select.POLLIN)
            for each in self._polled:
                if (descriptor := each.fileno()) >= 0:
                    poll.register(descriptor, select.POLLIN)
            left = min(each.due for each in self._polled) - time.monotonic()
            poll.poll(None if left == float("inf") else max(0, int(left * 1000) + 1))
            for each in self._polled:
                each.run(time.monotonic())
        for each in self._polled:
            each.close()
