"""A running guest's disks and the limits on them (virDomainSetBlockIoTune), which end with the run."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import ModuleType

    import libvirt as lib


def disks_of(libvirt: ModuleType, connection: lib.virConnect, domain: lib.virDomain) -> tuple[str, ...]:
    """The targets of the disks that have something in them."""
    every = connection.domainListGetStats([domain], libvirt.VIR_DOMAIN_STATS_BLOCK, 0)
    numbers: Mapping[str, object] = every[0][1] if every else {}
    count = range(int(str(numbers.get("block.count", 0))))
    return tuple(
        str(numbers[f"block.{each}.name"])
        for each in count
        if f"block.{each}.path" in numbers and f"block.{each}.name" in numbers
    )


def limits(libvirt: ModuleType, domain: lib.virDomain, disk: str) -> dict[str, int]:
    """Each limit that is set on a disk of the running guest."""
    tune = domain.blockIoTune(disk, libvirt.VIR_DOMAIN_AFFECT_LIVE)
    return {name: number for name, number in tune.items() if name.endswith(("_sec", "_max")) and number}


def limit(libvirt: ModuleType, domain: lib.virDomain, disk: str, iops: int) -> None:
    """Limit a disk to so many requests a second, 0 for no limit."""
    domain.setBlockIoTune(disk, {"total_iops_sec": iops}, libvirt.VIR_DOMAIN_AFFECT_LIVE)
