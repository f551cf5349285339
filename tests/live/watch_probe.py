"""Runs inside a node: hostagent's watches and pulse. Answers each line on stdin with a line of JSON.

"wakes" tells what woke since the last time it was asked, waiting for the one that follows ("wakes links 2");
"look 3" and "pulse 2" do so; "size" tells how many threads and descriptors there are.
"""

import json
import sys
import threading
import time
from pathlib import Path
from typing import Any

from hostagent.config import Settings
from hostagent.model.host import SECTIONS, Unavailable
from hostagent.sources.gather import Gatherer
from hostagent.sources.watch import Watches


class Wakes:
    def __init__(self) -> None:
        self._counts: dict[str, int] = {}
        self._changed = threading.Condition()

    def wake(self, name: str) -> None:
        with self._changed:
            self._counts[name] = self._counts.get(name, 0) + 1
            self._changed.notify_all()

    def take(self, name: str, seconds: float) -> dict[str, int]:
        """What woke, after waiting for one of ``name``."""
        with self._changed:
            self._changed.wait_for(lambda: name in self._counts, seconds)
            found, self._counts = self._counts, {}
        return found


def main() -> None:
    settings, wakes = Settings(), Wakes()
    gatherer, watches = Gatherer(settings), Watches(settings, wakes.wake)
    watches.start()

    def look(seconds: str) -> dict[str, str]:
        snapshot = gatherer.look(timeout_seconds=float(seconds))
        read = set(SECTIONS) - {"flows", "dhcp"}  # on request only; absent where nobody serves it
        sections = {name: getattr(snapshot, name) for name in read}
        return {name: each.trouble for name, each in sections.items() if isinstance(each, Unavailable)}

    def size(*_: str) -> dict[str, int]:
        return {
            "threads": threading.active_count(),
            "descriptors": len(list(Path("/proc/self/fd").iterdir())),
        }

    questions: dict[str, Any] = {
        "wakes": lambda name, seconds: wakes.take(name, float(seconds)),
        "look": look,
        "pulse": lambda seconds: sorted(gatherer.pulse(float(seconds))),
        "size": size,
    }
    for line in sys.stdin:
        word, *rest = line.split()
        began = time.monotonic()
        answer = questions[word](*rest)
        print(json.dumps({"answer": answer, "took": time.monotonic() - began}), flush=True)
    watches.close()
    gatherer.close()
    for each in set(threading.enumerate()) - {threading.main_thread()}:
        each.join(2)
    print(json.dumps({"answer": [each.name for each in threading.enumerate()], "took": 0}), flush=True)


if __name__ == "__main__":
    main()
