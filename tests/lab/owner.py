"""Who a node belongs to: a process, told apart from a later one with the same pid by its start time."""

from dataclasses import dataclass
from pathlib import Path
from typing import Self

from tests.lab.programs import LabError


@dataclass(frozen=True, slots=True)
class Owner:
    """A process whose end means that its nodes may go."""

    pid: int
    started: int

    @classmethod
    def of(cls, pid: int) -> Self:
        started = _started(pid)
        if started is None:
            raise LabError(f"no process {pid} that could own a node")
        return cls(pid, started)

    def alive(self) -> bool:
        return _started(self.pid) == self.started


def _started(pid: int) -> int | None:
    """Return the start time in clock ticks since boot, proc(5) field 22; None for none or a zombie."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    # The command's name is in parentheses and may hold spaces and parentheses.
    fields = stat.rpartition(")")[2].split()
    return None if fields[0] in "ZX" else int(fields[19])
