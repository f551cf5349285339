"""A disk as slow as an array with few spindles: a loop device whose file takes the array's time to answer.

blkio throttling was tried and left: it lets a tenth of a second's requests through at once and then nothing,
so that whoever reads beside it waits 50 to 100 ms however few the others are.
"""

import ctypes
import heapq
import os
import select
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from random import Random
from types import TracebackType
from typing import Final, Self

from tests.lab.fuse_file import FuseFile, Request
from tests.lab.loop import attach
from tests.lab.overlay import UNSHARE
from tests.lab.paths import CHECKOUT
from tests.lab.programs import LabError, run

_PR_SET_PDEATHSIG, _SIGKILL = 1, 9
_NICE: Final = -15
_HOLE: Final = bytes(1 << 20)


class SlowDisk:
    """The disk, for as long as this context and this process live; the device goes with its last user."""

    def __init__(self, size_mib: int) -> None:
        self._size_mib = size_mib
        self._server: subprocess.Popen[str] | None = None
        self.device = Path()

    def __enter__(self) -> Self:
        argv = [*UNSHARE, sys.executable, "-m", "tests.lab.slow_disk", str(self._size_mib)]
        self._server = subprocess.Popen(argv, stdin=-1, stdout=-1, text=True, cwd=CHECKOUT)
        self.device = Path(self._answer())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._server is not None:
            self._server.kill()
            self._server.communicate()

    @property
    def number(self) -> str:
        """Major and minor, as mknod takes them."""
        device = self.device.stat().st_rdev
        return f"{os.major(device)} {os.minor(device)}"

    def pace(self, spindles: int = 0, service_seconds: float = 0.0) -> None:
        """So many spindles take so long for each request, half as much more or less; 0 spindles: no delay."""
        if self._server is None or self._server.stdin is None:
            raise LabError("the slow disk is gone")
        self._server.stdin.write(f"{spindles} {service_seconds}\n")
        self._server.stdin.flush()
        self._answer()

    def _answer(self) -> str:
        line = self._server.stdout.readline() if self._server and self._server.stdout else ""
        if not line:
            raise LabError("the slow disk's server died")
        return line.strip()


class Server:
    """Requests in the order in which they came, each on the first spindle that is free."""

    def __init__(self, file: FuseFile, backing: int) -> None:
        self._file, self._backing = file, backing
        self._free: list[float] = []
        self._service_seconds = 0.0
        self._random = Random(8)
        self._due: list[tuple[float, int, Request]] = []
        self._taken = 0

    def pace(self, words: str) -> None:
        """Take up what SlowDisk.pace wrote."""
        spindles, service = words.split()
        self._free, self._service_seconds = [0.0] * int(spindles), float(service)

    def serve(self) -> None:
        """Until the file is closed for good."""
        poll = select.poll()
        poll.register(self._file, select.POLLIN)
        while True:
            if self._due and (left := self._due[0][0] - time.monotonic()) > 0:
                poll.poll(left * 1000)
            elif not self._due:
                poll.poll(200)
            while (request := self._file.take()) is not None:
                self._queue(request)
            while self._due and self._due[0][0] <= time.monotonic():
                self._carry_out(heapq.heappop(self._due)[2])

    def _queue(self, request: Request) -> None:
        now = time.monotonic()
        self._taken += 1
        due = now
        if self._free:
            spindle = self._free.index(min(self._free))
            due = max(now, self._free[spindle]) + self._service_seconds * self._random.uniform(0.5, 1.5)
            self._free[spindle] = due
        heapq.heappush(self._due, (due, self._taken, request))

    def _carry_out(self, request: Request) -> None:
        if request.data is None:
            data = os.pread(self._backing, request.size, request.offset)
            self._file.answer(request, data.ljust(request.size, b"\0"))
            return
        # Zeros over a hole leave a hole: a disk full of guests' images then takes no memory.
        zeros = _HOLE[: request.size]
        if request.data != zeros or os.pread(self._backing, request.size, request.offset).strip(b"\0"):
            os.pwrite(self._backing, request.data, request.offset)
        self._file.answer(request)


def main() -> None:
    """Serve until the owner is gone: its end of our stdin, or itself."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, _SIGKILL)
    os.setpriority(os.PRIO_PROCESS, 0, _NICE)
    size = int(sys.argv[1]) << 20
    with tempfile.TemporaryFile() as backing, tempfile.NamedTemporaryFile() as place:
        server = Server(FuseFile(Path(place.name), size), backing.fileno())
        threading.Thread(target=_control, args=(server, Path(place.name)), daemon=True).start()
        server.serve()


def _control(server: Server, file: Path) -> None:
    """Set the device up from beside the thread that answers its reads, then do as told."""
    device, _held = attach(file)
    run(["mkfs.ext4", "-q", "-O", "^has_journal", "-E", "lazy_itable_init=0", str(device)])
    print(device, flush=True)
    for line in sys.stdin:
        server.pace(line)
        print("paced", flush=True)
    os._exit(0)


if __name__ == "__main__":
    main()
