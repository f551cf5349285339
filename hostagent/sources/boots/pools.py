"""Where a guest's disk is → its pool: a disk of this node, or a far place by its name."""

from __future__ import annotations

import os
import stat
import time
from pathlib import Path
from typing import TYPE_CHECKING

from hostagent.model.boot_guests import Pool
from hostagent.sources.boots.devices import device_pool
from hostagent.sources.boots.mounts import Mount, Mounts, follow, parse_mounts

if TYPE_CHECKING:
    from hostagent.sources.boots.boot_xml import Disk

_KEPT_SECONDS = 60.0  # a path's links and the disk below it hardly ever change
_FRESH_SECONDS = 1.0
_NFS = "nfs4"


class PoolFinder:
    """Finds pools in the mount namespace of ``disk_root``, which is a process's root folder in /proc.

    The agent's own namespace lacks what its unit hides from it: /home, /dev and /tmp.
    """

    def __init__(self, disk_root: str = "/proc/1/root", sys_dir: str = "/sys") -> None:
        self._root = disk_root
        self._sys = sys_dir
        self._mounts = Mounts(())
        self._read_at: float | None = None
        self._kept: dict[Disk, tuple[float, Pool]] = {}

    def pool(self, disk: Disk) -> Pool:
        """The pool of one disk; Pool() if nothing is known. No question to a far file system, no error."""
        now = time.monotonic()
        found_at, pool = self._kept.get(disk, (0.0, Pool()))
        if disk in self._kept and now - found_at <= _KEPT_SECONDS:
            return pool
        if self._read_at is None or now - self._read_at > _FRESH_SECONDS:
            self._kept = {
                key: kept for key, kept in self._kept.copy().items() if now - kept[0] <= _KEPT_SECONDS
            }
            self._mounts, self._read_at = self._read_mounts(), now
        pool = self._find(disk)
        self._kept[disk] = now, pool
        return pool

    def _read_mounts(self) -> Mounts:
        try:
            text = (
                Path(self._root).with_name("mountinfo").read_text(encoding="utf-8", errors="surrogateescape")
            )
        except OSError:
            return Mounts(())
        return Mounts(parse_mounts(text))

    def _find(self, disk: Disk) -> Pool:
        if disk.far:
            return Pool(name=disk.far)
        if disk.block:
            return self._of_block(disk.block) or Pool()
        place = follow(disk.file, self._mounts, self._read_link) if disk.file else None
        return Pool() if place is None else self._of_mount(place[1])

    def _of_mount(self, mount: Mount) -> Pool:
        """A file system's disk: by its number, or where that is none, by its source."""
        if mount.device[0]:
            return device_pool(*mount.device, self._sys) or Pool()
        if mount.source.startswith("/dev/"):
            # bcachefs names all its devices.
            return self._of_block(mount.source.partition(":")[0]) or Pool(name=f"{mount.kind}:{mount.source}")
        source = mount.source.partition("/")[0] if mount.kind == "zfs" else mount.source
        return Pool(name=f"{'nfs' if mount.kind == _NFS else mount.kind}:{source}")

    def _of_block(self, path: str) -> Pool | None:
        place = follow(path, self._mounts, self._read_link)
        if place is None or not place[1].near:
            return None
        try:
            found = Path(self._root + place[0]).lstat()
        except (OSError, ValueError):
            return None
        if not stat.S_ISBLK(found.st_mode):
            return None
        return device_pool(os.major(found.st_rdev), os.minor(found.st_rdev), self._sys)

    def _read_link(self, path: str) -> str | None:
        try:
            return str(Path(self._root + path).readlink())
        except (OSError, ValueError):  # for the most part because it is no link
            return None
