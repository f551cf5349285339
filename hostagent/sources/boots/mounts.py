"""/proc/PID/mountinfo → which file system a path is on, without a question to one that may hang.

A stat below the mount of a network file system whose server is gone never returns. So a path is followed
name by name, and no further than to such a mount. Format: proc_pid_mountinfo(5).
"""

from __future__ import annotations

import posixpath
import re
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_OCTAL = re.compile(r"\\([0-7]{3})")
_MOST_LINKS = 40  # as the kernel has it (MAXSYMLINKS)
# File systems without a block device of their own that no server or process stands behind.
_NEAR = frozenset({"btrfs", "bcachefs", "overlay", "tmpfs", "ramfs", "devtmpfs", "zfs", "rootfs", "squashfs"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Mount:
    """One line. ``device`` is (major, minor) of its files' st_dev; a major of 0 is no device."""

    number: int
    parent: int
    device: tuple[int, int]
    point: str
    kind: str
    source: str

    @property
    def near(self) -> bool:
        """Whether its names can be asked for without waiting for somebody else."""
        return self.device[0] != 0 or self.kind in _NEAR


def parse_mounts(text: str) -> tuple[Mount, ...]:
    """Every line that is understood."""
    return tuple(mount for line in text.splitlines() if (mount := _mount(line)) is not None)


def _mount(line: str) -> Mount | None:
    left, dash, right = line.partition(" - ")
    fields, rest = left.split(" "), right.split(" ")
    if not dash or len(fields) < 6 or len(rest) < 2:
        return None
    major, _, minor = fields[2].partition(":")
    try:
        return Mount(
            number=int(fields[0]),
            parent=int(fields[1]),
            device=(int(major), int(minor)),
            point=_plain(fields[4]),
            kind=rest[0],
            source=_plain(rest[1]),
        )
    except ValueError:
        return None


def _plain(text: str) -> str:
    return _OCTAL.sub(lambda found: chr(int(found[1], 8)), text)


class Mounts:
    """The mounts of one namespace: what is hidden under another one does not count."""

    def __init__(self, mounts: Iterable[Mount]) -> None:
        every = tuple(mounts)
        numbers = {each.number for each in every}
        self._over = {(each.parent, each.point): each for each in every if each.parent != each.number}
        roots = (each for each in every if each.point == "/" and each.parent not in numbers - {each.number})
        self.root = self._top(next(roots, None), "/")

    def over(self, mount: Mount, path: str) -> Mount:
        """What is mounted on this path of ``mount``, or the same."""
        return self._top(mount, path) or mount

    def _top(self, mount: Mount | None, path: str) -> Mount | None:
        while mount is not None and (above := self._over.get((mount.number, path))) is not None:
            mount = above
        return mount


def follow(path: str, mounts: Mounts, read_link: Callable[[str], str | None]) -> tuple[str, Mount] | None:
    """The path without symbolic links, and the mount that it is on; None if that can't be said.

    Beyond the mount of a far file system the path stays as it is. ``read_link`` gives None for what is no
    link, or not there.
    """
    if mounts.root is None or not path.startswith("/"):
        return None
    trail = [("/", mounts.root)]
    todo = deque(path.split("/"))
    links = 0
    while todo:
        here, mount = trail[-1]
        name = todo.popleft()
        if name in {"", "."}:
            continue
        if name == "..":
            del trail[max(1, len(trail) - 1) :]
            continue
        there = posixpath.join(here, name)
        over = mounts.over(mount, there)
        if over is mount and mount.near and (target := read_link(there)) is not None:
            links += 1
            if links > _MOST_LINKS:
                return None
            if target.startswith("/"):
                del trail[1:]
            todo.extendleft(reversed(target.split("/")))
            continue
        trail.append((there, over))
    return trail[-1]
