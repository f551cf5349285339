"""systemd's units as it has them in effect, and what the boot's purge left on record."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

OVS_UNITS = (
    "ovsdb-server.service",
    "ovs-vswitchd.service",
    "openvswitch-switch.service",
    "openvswitch.service",
)
LIBVIRT_UNITS = ("libvirtd.service", "virtqemud.service")
GUESTS_UNIT = "libvirt-guests.service"
NOVA_UNITS = ("nova-compute.service", "openstack-nova-compute.service")
PURGE_UNIT, READY_UNIT = "hostagent-purge.service", "hostagent-ovs-ready.service"
KNOWN_UNITS = (*OVS_UNITS, *LIBVIRT_UNITS, GUESTS_UNIT, *NOVA_UNITS, PURGE_UNIT, READY_UNIT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """A unit that systemd has loaded (systemd.unit(5)); ``after`` as in effect, others' Before= included.

    ``ran`` says that it was started in this boot, though a oneshot may be inactive again.
    """

    name: str
    load: str = "loaded"
    active: str = "inactive"
    result: str = "success"
    file_state: str = ""
    ran: bool = False
    after: frozenset[str] = frozenset()

    @property
    def there(self) -> bool:
        """Whether the unit exists on this host and may be started."""
        return self.load == "loaded"

    @property
    def up(self) -> bool:
        """Whether it is running now, or coming, or going."""
        return self.active in {"active", "activating", "reloading", "deactivating", "refreshing"}

    @property
    def wanted(self) -> bool:
        """Whether it runs, or a boot starts it."""
        return self.there and (self.up or self.file_state in {"enabled", "enabled-runtime", "alias"})


class PurgeState(StrEnum):
    """What became of the purge of this boot."""

    RUNNING = "running"  # begun; still there after the boot: it was killed
    DONE = "done"
    NOTHING = "nothing"  # looked, and nothing was stale
    SKIPPED = "skipped"  # not its place: guests run, no OVS, stop file
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class PurgeMark:
    """The record that the purge leaves for one ``boot_id``; ``ran`` are UUIDs of domains that ran before it.

    ``at`` is seconds since the epoch, ``run`` the journal's id ("" without changes).
    """

    boot_id: str
    state: PurgeState
    reason: str = ""
    at: float = 0.0
    seconds: float = 0.0
    run: str = ""
    ran: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Units:
    """Every loaded unit by name. ``purge`` is this boot's mark, None where no purge has run.

    ``aliases`` maps other names of units. ``guests_on_shutdown`` is what libvirt-guests does with guests
    at shutdown (ON_SHUTDOWN: "shutdown", "suspend", …).
    """

    by_name: Mapping[str, Unit]
    aliases: Mapping[str, str] = field(default_factory=dict)
    purge: PurgeMark | None = None
    guests_on_shutdown: str = "shutdown"

    def get(self, name: str) -> Unit | None:
        """The unit of this name, or that the name is an alias of, if it exists."""
        unit = self.by_name.get(self.aliases.get(name, name))
        return unit if unit is not None and unit.there else None
