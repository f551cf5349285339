"""The ``[units]`` of a host written in TOML. Without it: Debian with OVS, libvirt and hostagent's drop-ins.

::

    [units]
    guests_on_shutdown = "ignore"
    purge = { state = "failed", reason = "timed out", ran = ["alice"] }   # a domain's name, or any UUID
    [units.change."libvirtd.service"]       # fields of model.units.Unit; after replaces the whole list
    after = []
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hostagent.health.case_rows import uuid_of
from hostagent.model.units import GUESTS_UNIT, PURGE_UNIT, READY_UNIT, PurgeMark, PurgeState, Unit, Units

_OVS = frozenset({"ovsdb-server.service", "ovs-vswitchd.service"})
_HEALTHY = (
    Unit(name="ovsdb-server.service", active="active", ran=True, file_state="static"),
    Unit(
        name="ovs-vswitchd.service",
        active="active",
        ran=True,
        file_state="static",
        after=frozenset({"ovsdb-server.service", PURGE_UNIT}),
    ),
    Unit(name=PURGE_UNIT, active="active", ran=True, after=frozenset({"ovsdb-server.service"})),
    Unit(name=READY_UNIT, active="active", ran=True, after=_OVS),
    Unit(
        name="libvirtd.service",
        active="active",
        ran=True,
        file_state="enabled",
        after=_OVS | {PURGE_UNIT, READY_UNIT},
    ),
    Unit(
        name=GUESTS_UNIT,
        active="active",
        ran=True,
        file_state="enabled",
        after=_OVS | {PURGE_UNIT, READY_UNIT, "libvirtd.service"},
    ),
)


def units_of(raw: dict[str, Any]) -> Units:
    """Read the table.

    Raises:
        TypeError, ValueError: it has a key or value that the records of model/ don't have.
    """
    by_name = {unit.name: unit for unit in _HEALTHY}
    for name, fields in raw.pop("change", {}).items():
        if "after" in fields:
            fields["after"] = frozenset(fields["after"])
        by_name[name] = replace(by_name.get(name, Unit(name=name)), **fields)
    purge = raw.pop("purge", None)
    if purge is not None:
        ran = frozenset(uuid_of(each) if "-" not in each else each for each in purge.pop("ran", ()))
        purge = PurgeMark(boot_id="boot", state=PurgeState(purge.pop("state")), ran=ran, **purge)
    return Units(by_name=by_name, purge=purge, **raw)
