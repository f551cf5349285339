"""Whether guests stop before libvirt and libvirt before Open vSwitch, and start the other way round.

systemd orders B after A at the start, and A's stop after B's, when a chain of After= leads from B to A.
A unit in the middle counts only while it has a job of its own: one that never started in this boot orders
nothing at the start, one that is not active orders nothing at the stop (measured: a passive network.target).
"""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hostagent.model.units import GUESTS_UNIT, LIBVIRT_UNITS, NOVA_UNITS, OVS_UNITS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from hostagent.model.units import Unit, Units

LIBVIRT, GUESTS, NOVA = "UNIT_LIBVIRT_ORDER", "UNIT_GUESTS_ORDER", "UNIT_NOVA_ORDER"
_DAEMONS = ("ovsdb-server.service", "ovs-vswitchd.service")
_KOLLA_OVS = re.compile(r"kolla-openvswitch_(db|vswitchd)-container\.service")
_KOLLA_LIBVIRT = re.compile(r"kolla-nova_libvirt-container\.service")
_KOLLA_NOVA = re.compile(r"kolla-nova_compute-container\.service")
_SCOPE = re.compile(r"machine-qemu.*\.scope")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ordering:
    """``later`` must start after ``earlier`` and stop before it; each path is empty where there is none."""

    code: str
    later: str
    earlier: str
    start: tuple[str, ...]
    stop: tuple[str, ...]

    @property
    def right(self) -> bool:
        """Whether both hold."""
        return bool(self.start and self.stop)

    @property
    def words(self) -> str:
        """The path, or the edge that is missing."""
        if self.right:
            return " → ".join(self.stop)
        when = " and ".join(word for word, path in (("start", self.start), ("stop", self.stop)) if not path)
        return f"nothing orders them at {when}: {self.later} lacks After={self.earlier}"


def orderings(units: Units) -> tuple[Ordering, ...]:
    """Every order that matters on this host, sorted by code."""
    ovs, libvirt, nova = ovs_units(units), libvirt_units(units), nova_units(units)
    guests = wanted(units, (GUESTS_UNIT,))
    scopes = [name for name, unit in sorted(units.by_name.items()) if _SCOPE.fullmatch(name) and unit.up]
    pairs = [(LIBVIRT, later, earlier) for later in libvirt for earlier in ovs]
    pairs += [(GUESTS, later, earlier) for later in (*guests, *scopes) for earlier in ovs]
    pairs += [(GUESTS, later, earlier) for later in guests for earlier in libvirt]
    pairs += [(NOVA, later, earlier) for later in nova for earlier in guests]
    return tuple(_ordering(units, code, later, earlier) for code, later, earlier in sorted(pairs))


def ovs_units(units: Units) -> tuple[str, ...]:
    """The units that run Open vSwitch here: the daemons' own, else the one that stands for both."""
    daemons = (*wanted(units, _DAEMONS), *_matching(units, _KOLLA_OVS))
    return daemons or wanted(units, OVS_UNITS)


def libvirt_units(units: Units) -> tuple[str, ...]:
    """The units that run libvirt's QEMU driver here; a daemon may be idle while its socket listens."""
    return (*wanted(units, LIBVIRT_UNITS), *_matching(units, _KOLLA_LIBVIRT))


def nova_units(units: Units) -> tuple[str, ...]:
    """The units that run nova-compute here."""
    return (*wanted(units, NOVA_UNITS), *_matching(units, _KOLLA_NOVA))


def wanted(units: Units, names: Iterable[str]) -> tuple[str, ...]:
    """Which of ``names`` run here or are started by a boot, aliases resolved, each once."""
    found = (units.get(name) for name in names)
    return tuple(dict.fromkeys(unit.name for unit in found if unit is not None and _used(unit, units)))


def _used(unit: Unit, units: Units) -> bool:
    socket = units.get(unit.name.replace(".service", ".socket"))
    return unit.wanted or unit.ran or (socket is not None and socket.up)


def _matching(units: Units, pattern: re.Pattern[str]) -> tuple[str, ...]:
    return tuple(
        n for n, unit in sorted(units.by_name.items()) if pattern.fullmatch(n) and _used(unit, units)
    )


def _ordering(units: Units, code: str, later: str, earlier: str) -> Ordering:
    start = path(units, later, earlier, lambda unit: unit.ran or unit.up)
    stop = path(units, later, earlier, lambda unit: unit.up)
    return Ordering(code=code, later=later, earlier=earlier, start=start, stop=stop)


def path(units: Units, later: str, earlier: str, counts: Callable[[Unit], bool]) -> tuple[str, ...]:
    """The shortest chain of After= from ``later`` to ``earlier`` whose middle ``counts``; empty if none."""
    came: dict[str, str] = {later: ""}
    queue = deque([later])
    while queue:
        name = queue.popleft()
        for before in sorted(_after(units, name)):
            before_name = units.aliases.get(before, before)
            if before_name in came:
                continue
            came[before_name] = name
            if before_name == earlier:
                return tuple(reversed(list(_back(came, earlier))))
            unit = units.by_name.get(before_name)
            if unit is not None and unit.there and counts(unit):
                queue.append(before_name)
    return ()


def _after(units: Units, name: str) -> frozenset[str]:
    unit = units.by_name.get(name)
    return frozenset() if unit is None else unit.after


def _back(came: dict[str, str], name: str) -> Iterator[str]:
    while name:
        yield name
        name = came[name]
