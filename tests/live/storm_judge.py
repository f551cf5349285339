"""Inside a node: guests started by several virsh at once, one after another or few at a time.

What is taken for settled is what the guest itself says on its serial console. Meanwhile a loop asks
`virsh list` and guests that were running before print the latencies of their reads. One JSON object in, one
out.
"""

import json
import re
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

CONSOLE = "/var/log/libvirt/qemu/{}-console.log"
PAUSE_SECONDS = 0.05
LIST_SECONDS = 0.2


class Storm:
    """One storm; times are seconds since its begin."""

    def __init__(self, asked: dict[str, Any]) -> None:
        self._guests: list[str] = asked["guests"]
        self._watchers: list[str] = asked["watchers"]
        self._asked = asked
        self._free = threading.Semaphore(asked.get("limit") or len(self._guests))
        self._begun = time.monotonic()
        self._started: dict[str, float] = {}
        self._ready: dict[str, float] = {}
        self._errors: dict[str, str] = {}
        self._lists: list[float] = []
        self._over = threading.Event()

    def run(self) -> dict[str, Any]:
        offsets = {name: Path(CONSOLE.format(name)).stat().st_size for name in self._watchers}
        count = self._asked["clients"]
        threads = [threading.Thread(target=self._client, args=(each, count)) for each in range(count)]
        threads += [threading.Thread(target=self._list)]
        self._begun = time.monotonic()
        for thread in threads:
            thread.start()
        self._watch()
        makespan = self._now()
        self._over.set()
        latencies = [value for name in self._watchers for value in self._latencies(name, offsets[name])]
        for _ in self._guests:
            self._free.release()
        for thread in threads:
            thread.join()
        return {
            "started": self._started,
            "ready": self._ready,
            "errors": self._errors,
            "lists": self._lists,
            "latencies": latencies,
            "seconds": makespan,
        }

    def _now(self) -> float:
        return time.monotonic() - self._begun

    def _client(self, number: int, count: int) -> None:
        for name in self._guests[number::count]:
            self._free.acquire()
            if self._over.is_set():
                return
            done = subprocess.run(
                ["virsh", "-q", "start", name], check=False, stderr=subprocess.PIPE, text=True
            )
            self._started[name] = self._now()
            if done.returncode:
                self._errors[name] = done.stderr.strip()
            if delay := self._asked.get("delay"):
                self._over.wait(delay)

    def _list(self) -> None:
        while not self._over.is_set():
            begun = time.monotonic()
            subprocess.run(["virsh", "-q", "list"], check=False, stdout=subprocess.DEVNULL)
            self._lists.append(time.monotonic() - begun)
            self._over.wait(LIST_SECONDS)

    def _watch(self) -> None:
        while len(self._ready) < len(self._guests) and self._now() < self._asked["deadline"]:
            for name in self._guests:
                if name not in self._ready and name in self._started and self._says_ready(name):
                    self._ready[name] = self._now()
                    self._free.release()
            time.sleep(PAUSE_SECONDS)

    def _says_ready(self, name: str) -> bool:
        try:
            return "is ready" in Path(CONSOLE.format(name)).read_text(errors="replace")
        except OSError:
            return False

    def _latencies(self, name: str, offset: int) -> list[float]:
        text = Path(CONSOLE.format(name)).read_bytes()[offset:].decode(errors="replace")
        return [int(each) / 1e6 for each in re.findall(r"latency (\d+)\r?\n", text)]


if __name__ == "__main__":
    print(json.dumps(Storm(json.load(sys.stdin)).run()))
