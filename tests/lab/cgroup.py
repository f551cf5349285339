"""A node's own cgroup: in systemd's named hierarchy and in the unified one."""

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.lab.programs import LabError

_TOP: Final = Path("/sys/fs/cgroup")
# The last one is the cgroup v2 hierarchy: only that has cgroup.kill.
HIERARCHIES: Final = [_TOP / "systemd", _TOP / "unified"] if (_TOP / "unified").is_dir() else [_TOP]


@dataclass(frozen=True, slots=True)
class Cgroup:
    """The cgroup of one node. Without one of its own, `systemctl kill` in one node fails in another."""

    name: str

    @property
    def roots(self) -> list[Path]:
        return [top / self.name for top in HIERARCHIES]

    @property
    def doors(self) -> list[Path]:
        """The files that take a process into the node's own root cgroup."""
        return [root / "payload" / "cgroup.procs" for root in self.roots]

    def enter(self) -> None:
        """Move the calling process in, making the cgroup."""
        for root in self.roots:
            root.mkdir(exist_ok=True)
            (root / "cgroup.procs").write_text(str(os.getpid()))

    def leader(self) -> int | None:
        """Return the pid, as the host sees it, of the node's PID 1."""
        for keeper in self._keepers():
            for child in _numbers(Path(f"/proc/{keeper}/task/{keeper}/children")):
                if _pid_in_own_namespace(child) == 1:
                    return child
        return None

    def populated(self) -> bool:
        try:
            return "populated 1" in (self.roots[-1] / "cgroup.events").read_text()
        except OSError:
            return False

    def kill(self, *, timeout: float = 10.0) -> None:
        """SIGKILL every process in it at once. nspawn alone would leave the node running."""
        try:
            (self.roots[-1] / "cgroup.kill").write_text("1")
        except FileNotFoundError:
            return
        if not self.wait_empty(timeout):
            raise LabError(f"processes of {self.name} outlive SIGKILL")

    def wait_empty(self, timeout: float) -> bool:
        """Return whether the last process left in time."""
        deadline = time.monotonic() + timeout
        while self.populated():
            if time.monotonic() > deadline:
                return False
            time.sleep(0.01)
        return True

    def remove(self) -> None:
        """Remove the empty tree, deepest first."""
        for root in self.roots:
            for folder, _, _ in os.walk(root, topdown=False):
                Path(folder).rmdir()

    def _keepers(self) -> Iterator[int]:
        for folder in ("", "supervisor"):
            yield from _numbers(self.roots[-1] / folder / "cgroup.procs")


def _numbers(path: Path) -> list[int]:
    try:
        return [int(word) for word in path.read_text().split()]
    except OSError:
        return []


def _pid_in_own_namespace(pid: int) -> int | None:
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return None
    for line in status.splitlines():
        if line.startswith("NSpid:"):
            numbers = line.split()[1:]
            return int(numbers[-1]) if len(numbers) > 1 else None
    return None
