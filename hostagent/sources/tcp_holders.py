"""Which process holds a socket, by the links in /proc/PID/fd."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from hostagent.sources.deadline import ReadError
from hostagent.sources.pids import process_ids

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_COMM_LENGTH = 15  # TASK_COMM_LEN less its end, linux/sched.h


class Holder(NamedTuple):
    """A process with its program's name."""

    pid: int
    name: str


class Holders:
    """Finds the holders of sockets; remembers where, so that only new sockets cost a walk through /proc."""

    def __init__(self, proc_dir: str) -> None:
        self._proc_dir = proc_dir
        self._held: dict[int, tuple[int, str]] = {}  # inode → process, its descriptor

    def of(self, inodes: Iterable[int]) -> dict[int, Holder]:
        """Inode → its holder, the first of several. A holder that this user may not see is left out."""
        wanted = frozenset(inodes)
        self._held = {
            inode: at for inode, at in self._held.items() if inode in wanted and self._holds(inode, *at)
        }
        missing = set(wanted - self._held.keys())
        if missing:
            for inode, pid, descriptor in self._walk():
                if inode in missing:
                    missing.remove(inode)
                    self._held[inode] = pid, descriptor
                    if not missing:
                        break
        names = {pid: _name(f"{self._proc_dir}/{pid}") for pid, _ in self._held.values()}
        return {inode: Holder(pid, names[pid]) for inode, (pid, _) in self._held.items() if names[pid]}

    def _holds(self, inode: int, pid: int, descriptor: str) -> bool:
        try:
            return str(Path(self._proc_dir, str(pid), "fd", descriptor).readlink()) == f"socket:[{inode}]"
        except OSError:
            return False

    def _walk(self) -> Iterator[tuple[int, int, str]]:
        try:
            pids = sorted(map(int, process_ids(self._proc_dir)))
        except ReadError:  # without /proc nobody is seen
            return
        for pid in pids:
            try:
                folder = os.open(f"{self._proc_dir}/{pid}/fd", os.O_RDONLY | os.O_DIRECTORY)
            except OSError:  # it has ended, or is not ours to look into
                continue
            try:
                for inode, descriptor in _sockets(folder):
                    yield inode, pid, descriptor
            except OSError:  # it ends while it is looked into
                continue
            finally:
                os.close(folder)


def _sockets(folder: int) -> Iterator[tuple[int, str]]:
    with os.scandir(folder) as entries:
        for entry in entries:
            try:
                target = os.readlink(entry.name, dir_fd=folder)
            except OSError:  # closed meanwhile
                continue
            if target.startswith("socket:["):
                yield int(target[8:-1]), entry.name


def program_name(comm: str, words: list[str]) -> str:
    """What an operator calls a process: comm, or what it cuts off or hides behind an interpreter.

    ``words`` is the command line.
    """
    name, bases = comm, [word.rpartition("/")[2] for word in words if word]
    if len(comm) == _COMM_LENGTH:
        name = next((base for base in bases if base.startswith(comm)), comm)
    elif comm.startswith("python") and "-c" not in words[1:2]:
        name = next((base for base in bases[1:] if not base.startswith("-")), comm)
    return "".join(letter if letter.isprintable() and letter not in " /" else "?" for letter in name)


def _name(process: str) -> str:
    """The program of a process; "" when it has ended."""
    try:
        comm = Path(process, "comm").read_text(encoding="utf-8", errors="replace")
        words = Path(process, "cmdline").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    return program_name(comm.rstrip("\n"), words.split("\0"))
