"""What Open vSwitch has on record, what vswitchd made of it, and what the kernel has."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True, kw_only=True)
class OvsInterface:
    """A row of OVSDB's Interface table, the columns that decisions use (ovs-vswitchd.conf.db(5)).

    ``ofport`` is None while vswitchd has not assigned one and -1 when it could not open the device.
    """

    uuid: str
    name: str
    type: str = ""
    ofport: int | None = None
    error: str = ""
    ifindex: int | None = None
    external_ids: Mapping[str, str] = field(default_factory=dict)
    status: Mapping[str, str] = field(default_factory=dict)
    ingress_policing_rate: int = 0
    ingress_policing_burst: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class OvsPort:
    """A row of the Port table with its interfaces and the name of the bridge it is on.

    ``fake_bridge`` marks the port that stands for a VLAN bridge (``ovs-vsctl add-br NAME PARENT VLAN``).
    """

    uuid: str
    name: str
    bridge: str
    interfaces: tuple[OvsInterface, ...]
    tag: int | None = None
    trunks: tuple[int, ...] = ()
    vlan_mode: str | None = None
    qos: str | None = None
    fake_bridge: bool = False
    external_ids: Mapping[str, str] = field(default_factory=dict)
    other_config: Mapping[str, str] = field(default_factory=dict)

    @property
    def object_id(self) -> str:
        """``BRIDGE/PORT``, the id under which checks, plans and the journal know it."""
        return f"{self.bridge}/{self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class OvsBridge:
    """A row of the Bridge table. ``datapath_type``: "" or "system" is the kernel's, "netdev" userspace."""

    uuid: str
    name: str
    datapath_type: str = ""
    external_ids: Mapping[str, str] = field(default_factory=dict)

    @property
    def userspace(self) -> bool:
        """Whether vswitchd itself forwards, through sockets, instead of the kernel's module."""
        return self.datapath_type == "netdev"


@dataclass(frozen=True, slots=True, kw_only=True)
class OvsQos:
    """A row of the QoS table; ``queues`` are UUIDs of Queue rows."""

    uuid: str
    type: str = ""
    queues: frozenset[str] = frozenset()
    external_ids: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class OvsQueue:
    """A row of the Queue table."""

    uuid: str
    external_ids: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ovs:
    """The Open_vSwitch database. Ports and bridges are keyed by name, QoS and Queue rows by UUID.

    ``flow_restore_wait`` is other_config:flow-restore-wait; ``external_ids`` are the Open_vSwitch row's.
    """

    schema_version: str
    ovs_version: str = ""
    bridges: Mapping[str, OvsBridge] = field(default_factory=dict)
    ports: Mapping[str, OvsPort] = field(default_factory=dict)
    qos: Mapping[str, OvsQos] = field(default_factory=dict)
    queues: Mapping[str, OvsQueue] = field(default_factory=dict)
    flow_restore_wait: bool = False
    external_ids: Mapping[str, str] = field(default_factory=dict)
    cur_cfg: int = 0
    next_cfg: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A network device of the host's namespace. ``kind`` is rtnetlink's info kind ("" for hardware).

    ``tap`` is True for a tun device in tap mode; ``master`` is an ifindex; ``up`` is IFF_UP.
    """

    name: str
    ifindex: int
    kind: str = ""
    tap: bool = False
    master: int | None = None
    up: bool = True
    mtu: int = 1500
    mac: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Links:
    """All links of the namespace, by name."""

    by_name: Mapping[str, Link]


@dataclass(frozen=True, slots=True, kw_only=True)
class DatapathPort:
    """A port as vswitchd forwards on it (``ovs-appctl dpif/show``): OpenFlow and datapath numbers, type."""

    ofport: int
    number: int | None
    type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Vswitchd:
    """vswitchd, proven alive by an answer on its control socket. ``datapath``: bridge → port name → port."""

    pid: int
    version: str
    datapath: Mapping[str, Mapping[str, DatapathPort]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Flows:
    """OpenFlow in_port numbers that rules match on, by bridge, with how many rules name each."""

    in_ports: Mapping[str, Mapping[int, int]]
