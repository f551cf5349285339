"""Runs inside a node: what pacing reads. Answers each line on stdin with a line of JSON.

"guests", "guest UUID", "figures", "figures_of UUID" and "disks" ask so; "told SECONDS EVENT [UUID]" returns
what was told since it was asked last, waiting for that event; "time TURNS UUID" tells how long reads take.
"""

import json
import statistics
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import libvirt

from hostagent.sources.boots.diskstats import read_disks
from hostagent.sources.boots.reader import BootReader
from hostagent.sources.watch_libvirt import LibvirtWatch

URI = "qemu:///system"


class Told:
    def __init__(self) -> None:
        self._events: list[tuple[str, str, str]] = []
        self._changed = threading.Condition()

    def __call__(self, uuid: str, event: str, detail: str) -> None:
        with self._changed:
            self._events.append((uuid, event, detail))
            self._changed.notify_all()

    def take(self, seconds: str, event: str, uuid: str = "") -> list[tuple[str, str, str]]:
        """All that was told, after waiting for one event."""
        with self._changed:
            self._changed.wait_for(
                lambda: any(each[:2] == (uuid, event) for each in self._events), float(seconds)
            )
            found, self._events = self._events, []
        return found


def clock(turns: int, ask: Callable[[], object]) -> list[float]:
    """Median and longest of so many turns, in milliseconds."""
    took = []
    for _ in range(turns):
        began = time.perf_counter()
        ask()
        took.append(1000 * (time.perf_counter() - began))
    return [round(statistics.median(took), 3), round(max(took), 3)]


def main() -> None:
    reader, told = BootReader(URI), Told()
    watch = LibvirtWatch(URI, lambda: None, told)
    watch.start()

    def times(turns: str, uuid: str) -> dict[str, list[float]]:
        fresh = BootReader(URI)
        fresh.figures_of(uuid)  # it is connected
        plain = libvirt.openReadOnly(URI)
        number = int(turns)
        return {
            "guest, never seen": clock(1, lambda: fresh.guest(uuid)),
            "guest": clock(number, lambda: reader.guest(uuid)),
            "guests": clock(number, reader.guests),
            "figures": clock(number, reader.figures),
            "figures_of": clock(number, lambda: reader.figures_of(uuid)),
            "list": clock(number, lambda: plain.listAllDomains(0)),
        }

    def guest(uuid: str) -> Any:
        found = reader.guest(uuid)
        return None if found is None else asdict(found)

    def figures_of(uuid: str) -> Any:
        found = reader.figures_of(uuid)
        return None if found is None else asdict(found)

    questions: dict[str, Callable[..., Any]] = {
        "guests": lambda: [asdict(each) for each in reader.guests()],
        "guest": guest,
        "figures": lambda: asdict(reader.figures()),
        "figures_of": figures_of,
        "disks": lambda: {name: asdict(each) for name, each in read_disks().items()},
        "told": told.take,
        "time": times,
    }
    for line in sys.stdin:
        word, *rest = line.split()
        print(json.dumps(questions[word](*rest), default=sorted), flush=True)
    watch.close()
    reader.close()


if __name__ == "__main__":
    main()
