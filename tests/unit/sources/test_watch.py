"""All watches of a host that has no daemons: the links still wake, and nothing is left."""

import os
import threading
from pathlib import Path

from hostagent.config import Settings, Sources
from hostagent.sources.watch import Watches


def test_what_is_not_there_is_waited_for(tmp_path: Path) -> None:
    threads, descriptors = set(threading.enumerate()), os.listdir("/proc/self/fd")  # noqa: PTH208  a count
    settings = Settings(sources=Sources(libvirt_uri="", ovsdb_socket=str(tmp_path / "db.sock")))
    woken = threading.Event()
    names: list[str] = []

    def wake(name: str) -> None:
        names.append(name)
        woken.set()

    watches = Watches(settings, wake)
    watches.start()
    assert woken.wait(30)
    watches.close()
    watches.close()
    assert set(names) == {"links"}
    assert set(threading.enumerate()) <= threads
    assert len(os.listdir("/proc/self/fd")) <= len(descriptors)  # noqa: PTH208  a count
