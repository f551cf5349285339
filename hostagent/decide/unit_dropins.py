"""The drop-ins that put units of other names into the order. Pure: names → files.

machine.slice is left out: a container of podman's lives under it, and one that waits for itself never starts.
Never Requires=, BindsTo= or PartOf=: a restart of Open vSwitch would stop libvirt.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from hostagent.model.units import GUESTS_UNIT, LIBVIRT_UNITS, NOVA_UNITS, PURGE_UNIT, READY_UNIT

FILE = "hostagent-order.conf"
HEADER = "# Written by `hostagent order install`; `hostagent order remove` removes it.\n"
_NAME = re.compile(r"[A-Za-z0-9:_.@\\-]{1,246}\.(service|target)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """Units by role, besides those that hostagent knows.

    Raises:
        ValueError: something is no unit's name.
    """

    vswitchd: tuple[str, ...] = ()
    ovsdb: tuple[str, ...] = ()
    libvirt: tuple[str, ...] = ()
    nova: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in (*self.vswitchd, *self.ovsdb, *self.libvirt, *self.nova):
            if not _NAME.fullmatch(name):
                raise ValueError(f"{name} is no name of a service or target")

    @property
    def any(self) -> bool:
        """Whether there is any name."""
        return bool(self.vswitchd or self.ovsdb or self.libvirt or self.nova)


def dropins(named: Named) -> dict[str, str]:
    """The files, by path below /etc/systemd/system, with their text."""
    ovs = (*named.ovsdb, *named.vswitchd)
    libvirt = (*LIBVIRT_UNITS, *named.libvirt)
    edges: dict[str, list[str]] = {}
    if ovs:
        for unit in (*libvirt, GUESTS_UNIT):
            edges[unit] = [
                f"Wants={' '.join((*ovs, READY_UNIT))}",
                f"After={' '.join((*ovs, PURGE_UNIT, READY_UNIT))}",
            ]
        edges[READY_UNIT] = [f"After={' '.join(ovs)}"]
    elif named.libvirt:
        for unit in named.libvirt:
            edges[unit] = [f"Wants={READY_UNIT}", f"After={PURGE_UNIT} {READY_UNIT}"]
    if named.ovsdb:
        edges[PURGE_UNIT] = [f"After={' '.join(named.ovsdb)}"]
    for unit in named.vswitchd:
        edges.setdefault(unit, []).extend([f"Wants={PURGE_UNIT}", f"After={PURGE_UNIT}"])
    if named.libvirt:
        edges.setdefault(GUESTS_UNIT, []).append(f"After={' '.join(named.libvirt)}")
    for unit in named.nova:
        edges.setdefault(unit, []).append(f"After={GUESTS_UNIT}")
    if named.libvirt:
        for unit in (*NOVA_UNITS, *named.nova):
            edges.setdefault(unit, []).append(f"After={' '.join(named.libvirt)}")
    return {f"{unit}.d/{FILE}": "\n".join([f"{HEADER}[Unit]", *lines, ""]) for unit, lines in edges.items()}
