"""Block devices of this node, from sysfs (Documentation/ABI/stable/sysfs-block)."""

from __future__ import annotations

from pathlib import Path

from hostagent.model.boot import DiskClass
from hostagent.model.boot_guests import Pool


def device_pool(major: int, minor: int, sys_dir: str = "/sys") -> Pool | None:
    """The whole disk that this number is of; dm and md devices stay what they are. None: there is none."""
    folder = _disk(Path(sys_dir, "dev/block", f"{major}:{minor}"))
    if folder is None:
        return None
    name = folder.name.replace("!", "/")  # as /proc/diskstats has it (block/genhd.c, %pg)
    return Pool(name=name, kind=_kind(folder), device=name)


def _disk(link: Path) -> Path | None:
    try:
        folder = link.resolve(strict=True)
    except (OSError, RuntimeError):
        return None
    return folder.parent if (folder / "partition").exists() else folder


def _kind(folder: Path) -> DiskClass:
    """Of what is below it, where it is made of other disks: the slowest of them tells."""
    slaves = [disk for each in _entries(folder / "slaves") if (disk := _disk(each)) is not None]
    if slaves:
        kinds = {_kind(each) for each in slaves}
        order = (DiskClass.SPINNING, DiskClass.OTHER, DiskClass.SSD, DiskClass.NVME)
        return next(kind for kind in order if kind in kinds)
    if folder.name.startswith("nvme"):
        return DiskClass.NVME
    try:
        spinning = (folder / "queue/rotational").read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return DiskClass.OTHER
    return DiskClass.SPINNING if spinning == "1" else DiskClass.SSD


def _entries(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError:
        return []
