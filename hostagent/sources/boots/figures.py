"""A guest's counters, from libvirt's bulk statistics.

Asked for with NOWAIT: a guest whose monitor is in use by somebody else is left out, and holds up nobody.
Each guest's monitor is asked in turn, so that all guests of a large node take a second or more.
Keys: virConnectGetAllDomainStats.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hostagent.model.boot import DiskStats
from hostagent.model.boot_guests import GuestFigures

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from types import ModuleType

    import libvirt as lib

_NANO = 1e9
_COUNTERS = ("rd.reqs", "wr.reqs", "rd.times", "wr.times")


def ask_figures(
    libvirt: ModuleType, connection: lib.virConnect, only: Collection[str] | None = None
) -> dict[str, GuestFigures]:
    """All running guests, or only some, by UUID; who is gone is left out.

    Raises:
        libvirt.libvirtError: of the connection.
    """
    groups = libvirt.VIR_DOMAIN_STATS_BLOCK | libvirt.VIR_DOMAIN_STATS_VCPU
    nowait = libvirt.VIR_CONNECT_GET_ALL_DOMAINS_STATS_NOWAIT
    every: Iterable[tuple[lib.virDomain, Mapping[str, Any]]]
    try:
        if only is None:
            active = libvirt.VIR_CONNECT_GET_ALL_DOMAINS_STATS_ACTIVE
            every = connection.getAllDomainStats(groups, active | nowait)
        else:
            handles = _handles(libvirt, connection, only)
            every = connection.domainListGetStats(handles, groups, nowait) if handles else ()
    except libvirt.libvirtError as error:
        if error.get_error_code() not in {libvirt.VIR_ERR_NO_SUPPORT, libvirt.VIR_ERR_INVALID_ARG}:
            raise
        return {}
    found = {handle.UUIDString(): figures_of_numbers(numbers) for handle, numbers in every}
    return {uuid: figures for uuid, figures in found.items() if figures is not None}


def _handles(libvirt: ModuleType, connection: lib.virConnect, uuids: Iterable[str]) -> list[lib.virDomain]:
    found = []
    for uuid in uuids:
        try:
            found.append(connection.lookupByUUIDString(uuid))
        except libvirt.libvirtError as error:
            if error.get_error_code() != libvirt.VIR_ERR_NO_DOMAIN:
                raise
    return found


def figures_of_numbers(numbers: Mapping[str, Any]) -> GuestFigures | None:
    """One domain's ``block.*`` and ``vcpu.*``; None when its monitor did not answer, or it is shut off."""
    count = int(numbers.get("block.count", 0))
    disks = {
        str(numbers[f"block.{index}.name"]): _disk(numbers, f"block.{index}.")
        for index in range(count)
        if f"block.{index}.name" in numbers and f"block.{index}.rd.reqs" in numbers
    }
    times = [int(value) for key, value in numbers.items() if _is_of_vcpu(key, "time")]
    waits = [int(value) for key, value in numbers.items() if _is_of_vcpu(key, "delay")]
    if (count and not disks) or (not count and not times):
        return None
    return GuestFigures(
        disks=disks,
        vcpu_seconds=sum(times) / _NANO if times else None,
        vcpu_waited_seconds=sum(waits) / _NANO,
        vcpus=max(1, int(numbers.get("vcpu.current", len(times)))),
    )


def _disk(numbers: Mapping[str, Any], prefix: str) -> DiskStats:
    reads, writes, read_time, write_time = (int(numbers.get(prefix + key, 0)) for key in _COUNTERS)
    return DiskStats(requests=reads + writes, busy_seconds=(read_time + write_time) / _NANO)


def _is_of_vcpu(key: str, what: str) -> bool:
    group, _, rest = key.partition(".")
    number, _, last = rest.partition(".")
    return group == "vcpu" and last == what and number.isdecimal()
