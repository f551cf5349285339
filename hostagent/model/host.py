"""The Snapshot: everything read of one host at one time, each section a value or ``Unavailable``."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, TypeAlias, TypeVar

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hostagent.model.connections import AmqpConnections
    from hostagent.model.dhcp import Dhcp
    from hostagent.model.guests import Domains
    from hostagent.model.guests_memory import GuestsMemory
    from hostagent.model.memory import HostMemory
    from hostagent.model.ports import Flows, Links, Ovs, Vswitchd
    from hostagent.model.units import Units

T = TypeVar("T")


class Trouble(StrEnum):
    """Why a section could not be read."""

    ABSENT = "absent"  # not installed on this host: what depends on it is skipped
    NOT_ASKED = "not asked"  # costs too much to read each time; read on request only
    UNREACHABLE = "unreachable"  # nobody answers the socket
    UNRESPONSIVE = "unresponsive"  # connected, no answer within the deadline
    DENIED = "denied"  # this user may not read it
    INVALID = "invalid"  # answered something that can't be understood


@dataclass(frozen=True, slots=True, kw_only=True)
class Unavailable:
    """A section that was not read. Never to be taken for an empty one.

    ``reason`` is one line for an operator with the next step in it; ``since`` is seconds since the epoch.
    """

    trouble: Trouble
    reason: str
    since: float


Reading: TypeAlias = T | Unavailable


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """One look at the host. ``taken_at`` is seconds since the epoch, when the look began.

    ``packet_sockets`` are the ifindexes that an AF_PACKET socket of vswitchd is bound to.
    ``tap_holders`` maps a tap's name to the ids of the processes that hold its queue open.
    ``ovs_ctl_options`` is the value of OVS_CTL_OPTS that the distribution's OVS start script reads.
    """

    taken_at: float
    domains: Domains | Unavailable
    ovs: Ovs | Unavailable
    links: Links | Unavailable
    vswitchd: Vswitchd | Unavailable
    packet_sockets: frozenset[int] | Unavailable
    tap_holders: Mapping[str, tuple[int, ...]] | Unavailable
    ovs_ctl_options: str | Unavailable
    flows: Flows | Unavailable
    units: Units | Unavailable
    memory: HostMemory | Unavailable
    guests_memory: GuestsMemory | Unavailable
    dhcp: Dhcp | Unavailable
    amqp: AmqpConnections | Unavailable


SECTIONS: tuple[str, ...] = (
    "domains",
    "ovs",
    "links",
    "vswitchd",
    "packet_sockets",
    "tap_holders",
    "ovs_ctl_options",
    "flows",
    "units",
    "memory",
    "guests_memory",
    "dhcp",
    "amqp",
)
