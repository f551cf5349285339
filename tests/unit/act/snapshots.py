"""Snapshots of a host with one guest, "web" on vnet1, as data."""

from __future__ import annotations

from typing import Any

from hostagent.model.guests import Domain, Domains, DomainState, GuestInterface
from hostagent.model.host import Snapshot, Trouble, Unavailable
from hostagent.model.ports import DatapathPort, Link, Links, Ovs, OvsBridge, OvsInterface, OvsPort, Vswitchd
from tests.unit.act.data import uuid

GONE = Unavailable(trouble=Trouble.UNREACHABLE, reason="nobody answers", since=0.0)
GUEST = Domain(
    uuid="v",
    name="web",
    state=DomainState.RUNNING,
    live=True,
    interfaces=(GuestInterface(kind="bridge", mac="m", tap="vnet1", bridge="br-int", ovs=True),),
)


def row(**ids: str) -> OvsPort:
    interfaces = (
        OvsInterface(uuid=uuid("I vnet1"), name="vnet1", ofport=3, external_ids={"vm-id": "v"} | ids),
    )
    return OvsPort(uuid=uuid("P vnet1"), name="vnet1", bridge="br-int", interfaces=interfaces)


def snapshot(
    *, domains: tuple[Domain, ...] = (GUEST,), tap: bool = True, served: int | None = 3, **fields: Any
) -> Snapshot:
    datapath = {} if served is None else {"vnet1": DatapathPort(ofport=served, number=2, type="system")}
    known: dict[str, Any] = {
        "domains": Domains(by_uuid={each.uuid: each for each in domains}),
        "ovs": Ovs(
            schema_version="8.3.1",
            bridges={"br-int": OvsBridge(uuid="b", name="br-int", datapath_type="netdev")},
            ports={"vnet1": row()},
        ),
        "links": Links(by_name={"vnet1": Link(name="vnet1", ifindex=7, tap=True)} if tap else {}),
        "vswitchd": Vswitchd(pid=1, version="3.1.0", datapath={"br-int": datapath}),
        "packet_sockets": frozenset({7}),
        "tap_holders": {},
        "ovs_ctl_options": "",
        "flows": GONE,
        "units": GONE,
        "memory": GONE,
        "guests_memory": GONE,
        "dhcp": GONE,
        "amqp": GONE,
    }
    return Snapshot(taken_at=0.0, **known | fields)
