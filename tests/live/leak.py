"""Inside a node: a leak, and the /proc/meminfo of a smaller machine in /run/meminfo. `leak.py GIB`.

MemTotal is GIB there, and MemAvailable is that less what the kernel says that this process has taken: a
machine of GIB that was all free, of which nobody else takes any. What others take and give back for a moment
on the real one would show as levels that nobody asked for. Each line of its input is a share of MemTotal to
be left available, which it then holds. At the end of its input it prints the states that the agent told
meanwhile.
"""

import json
import mmap
import os
import select
import sys
from pathlib import Path

CHUNK = 48 << 20
SMALL = Path("/run/meminfo")
KIND = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | mmap.MAP_POPULATE


class Leak:
    """The file, which keeps its inode, and what is taken."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.first = self.resident()
        self.taken: list[mmap.mmap] = []
        self.told: list[tuple[str, str]] = []
        SMALL.write_text(self.text()[0])
        self.small = os.open(SMALL, os.O_WRONLY)

    def resident(self) -> int:
        """What this process has, in bytes (proc(5), statm)."""
        return int(Path("/proc/self/statm").read_text().split()[1]) * mmap.PAGESIZE

    def text(self) -> tuple[str, int]:
        """The file, of always the same length, and the bytes that are available by it."""
        left = min(self.size, max(0, self.size - self.resident() + self.first))
        lines = (
            f"{name}:{value >> 10:>15} kB\n"
            for name, value in (("MemTotal", self.size), ("MemAvailable", left))
        )
        return "".join(lines), left

    def step(self, share: float) -> bool:
        """A chunk more or less, if that is nearer to the share; whether it was."""
        text, left = self.text()
        os.pwrite(self.small, text.encode(), 0)
        off = left - share * self.size
        if off > CHUNK / 2 and len(self.taken) * CHUNK < self.size:
            self.taken.append(mmap.mmap(-1, CHUNK, KIND))
        elif off < -CHUNK / 2 and self.taken:
            self.taken.pop().close()
        else:
            return False
        return True

    def watch(self) -> None:
        """Note what the agent tells, where it is something else than before."""
        try:
            told = json.loads(Path("/run/hostagent/published.json").read_bytes())
        except FileNotFoundError:
            return
        if told["memory"] is None:
            return
        states = {each["code"]: each["state"] for each in told["report"]["checks"]}
        now = (told["memory"]["level"], states["MEMORY_PRESSURE"])
        if self.told[-1:] != [now]:
            self.told.append(now)


def main(gib: str) -> None:
    leak, share, reached = Leak(int(gib) << 30), 1.0, False
    print("ready", flush=True)
    while True:
        moved = leak.step(share)
        leak.watch()
        if not moved and not reached:
            reached = True
            print("there", flush=True)
        if select.select([0], [], [], 0.01 if moved else 0.05)[0]:
            line = sys.stdin.readline()
            if not line:
                break
            share, reached = float(line), False
    leak.watch()  # the input may have ended because of what has just been told
    print(json.dumps(leak.told))


if __name__ == "__main__":
    main(*sys.argv[1:])
