"""Puts a host together row by row, handing out names, numbers and UUIDs as a real node would."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any
from uuid import UUID

from hostagent.model.connections import AmqpConnections
from hostagent.model.dhcp import Dhcp
from hostagent.model.guests import Domain, Domains, DomainState, GuestInterface
from hostagent.model.host import Snapshot, Trouble, Unavailable
from hostagent.model.ports import (
    DatapathPort,
    Flows,
    Link,
    Links,
    Ovs,
    OvsBridge,
    OvsInterface,
    OvsPort,
    OvsQos,
    OvsQueue,
    Vswitchd,
)
from hostagent.model.units import Units

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    from hostagent.model.plan import Owner

_NOT_ASKED = Unavailable(trouble=Trouble.NOT_ASKED, reason="no matter here", since=0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """A situation: ``code`` is what it must show ("" for none), ``owner`` whose row it is about."""

    name: str
    owner: Owner
    code: str
    play: Callable[[Builder], str]  # returns the name of the row (or link, or QoS) it is about


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """A generated host: what plays on it, by the name of the row each scene is about."""

    snapshot: Snapshot
    played: tuple[tuple[Scene, str], ...]
    opted_out: dict[str, str]


@dataclass(slots=True)
class Builder:
    """One host in the making. ``system`` hosts use the kernel datapath, the others userspace."""

    rng: Random
    bridges: dict[str, OvsBridge] = field(default_factory=dict)
    ports: dict[str, OvsPort] = field(default_factory=dict)
    qos: dict[str, OvsQos] = field(default_factory=dict)
    queues: dict[str, OvsQueue] = field(default_factory=dict)
    links: dict[str, Link] = field(default_factory=dict)
    domains: dict[str, Domain] = field(default_factory=dict)
    sockets: set[int] = field(default_factory=set)
    holders: dict[str, tuple[int, ...]] = field(default_factory=dict)
    unattached: set[str] = field(default_factory=set)
    external_ids: dict[str, str] = field(default_factory=dict)
    ctl_options: str = ""
    flow_ports: dict[int, int] = field(default_factory=dict)
    numbers: int = 9

    def uuid(self) -> str:
        return str(UUID(int=self.rng.getrandbits(128), version=4))

    def number(self) -> int:
        self.numbers += 1
        return self.numbers

    def vnet(self) -> str:
        return f"vnet{self.number()}"

    def bridge(self, name: str, datapath: str) -> None:
        self.bridges[name] = OvsBridge(uuid=self.uuid(), name=name, datapath_type=datapath)

    def mac(self) -> str:
        return "52:54:00:" + ":".join(f"{self.rng.randrange(256):02x}" for _ in range(3))

    def guest(self, *interfaces: GuestInterface, **fields: Any) -> Domain:
        """A domain; live unless said otherwise."""
        live = fields.pop("live", True)
        domain = Domain(
            uuid=fields.pop("uuid", None) or self.uuid(),
            name=f"guest-{self.number()}",
            live=live,
            state=fields.pop("state", DomainState.RUNNING if live else DomainState.SHUTOFF),
            interfaces=interfaces,
            **fields,
        )
        self.domains[domain.uuid] = domain
        return domain

    def nic(self, tap: str | None, **fields: Any) -> GuestInterface:
        """An interface of type bridge on br-int with an Open vSwitch virtualport."""
        fields = {"kind": "bridge", "bridge": "br-int", "ovs": True, **fields}
        return GuestInterface(mac=self.mac(), tap=tap, **fields)

    def link(
        self, name: str, *, heard: bool = True, held: bool = True, attached: bool = True, **fields: Any
    ) -> Link:
        """A tap (or another device) that vswitchd listens on and QEMU holds, unless said otherwise."""
        fields = {"kind": "tun", "tap": True, **fields}
        master = self.links["ovs-system"].ifindex if attached and "ovs-system" in self.links else None
        link = Link(name=name, ifindex=self.number() + 1000, master=fields.pop("master", master), **fields)
        self.links[name] = link
        if heard:
            self.sockets.add(link.ifindex)
        if held and link.tap:
            self.holders[name] = (self.number(),)
        return link

    def row(self, name: str, *, ids: dict[str, str], bridge: str = "br-int", **fields: Any) -> OvsPort:
        """A Port with one Interface; its ofport and ifindex follow from the link unless given."""
        link = self.links.get(name)
        found: dict[str, Any] = {
            "ofport": -1 if link is None else link.ifindex - 900,
            "error": "" if link else "No such device",
        }
        columns = ("type", "ofport", "error", "status", "ingress_policing_rate", "ingress_policing_burst")
        found |= {key: fields.pop(key) for key in columns if key in fields}
        interface = OvsInterface(
            uuid=self.uuid(),
            name=name,
            external_ids=ids,
            ifindex=None if link is None else link.ifindex,
            **found,
        )
        port = OvsPort(uuid=self.uuid(), name=name, bridge=bridge, interfaces=(interface,), **fields)
        self.ports[name] = port
        return port

    def libvirt_ids(self, domain: str | None = None) -> dict[str, str]:
        """The external_ids that libvirt writes."""
        return {
            "vm-id": domain or self.uuid(),
            "iface-id": self.uuid(),
            "attached-mac": self.mac(),
            "iface-status": "active",
        }

    def vif_ids(self, domain: str | None = None) -> dict[str, str]:
        """The external_ids that os-vif writes."""
        return {
            "vm-uuid": domain or self.uuid(),
            "iface-id": self.uuid(),
            "attached-mac": self.mac(),
            "iface-status": "active",
        }

    def libvirt_qos(self, name: str, domain: str) -> str:
        """A QoS with one queue as libvirt makes them for inbound bandwidth."""
        ids = {"vm-id": domain, "ifname": name}
        queue = OvsQueue(uuid=self.uuid(), external_ids=ids)
        self.queues[queue.uuid] = queue
        row = OvsQos(uuid=self.uuid(), type="linux-htb", queues=frozenset({queue.uuid}), external_ids=ids)
        self.qos[row.uuid] = row
        return row.uuid

    def opt_out(self, name: str, how: str) -> None:
        """Mark a row as not to be touched, in one of the ways there are."""
        port = self.ports[name]
        key, value = ("skip_cleanup", "true") if how.endswith("skip_cleanup") else ("hostagent", "ignore")
        if how.startswith("port"):
            self.ports[name] = replace(port, external_ids={**port.external_ids, key: value})
        else:
            changed = tuple(replace(i, external_ids={**i.external_ids, key: value}) for i in port.interfaces)
            self.ports[name] = replace(port, interfaces=changed)

    def snapshot(self) -> Snapshot:
        """The finished host."""
        datapath: dict[str, dict[str, DatapathPort]] = {name: {} for name in self.bridges}
        for port in self.ports.values():
            for each in port.interfaces:
                if each.ofport is not None and each.ofport >= 0 and each.name not in self.unattached:
                    datapath[port.bridge][each.name] = DatapathPort(
                        ofport=each.ofport, number=each.ofport, type=""
                    )
        return Snapshot(
            taken_at=0.0,
            domains=Domains(by_uuid=self.domains),
            ovs=Ovs(
                schema_version="8.3.1",
                bridges=self.bridges,
                ports=self.ports,
                qos=self.qos,
                queues=self.queues,
                external_ids=self.external_ids,
            ),
            links=Links(by_name=self.links),
            vswitchd=Vswitchd(pid=100, version="3.1.0", datapath=datapath),
            packet_sockets=frozenset(self.sockets),
            tap_holders=self.holders,
            ovs_ctl_options=self.ctl_options,
            units=Units(by_name={}),
            memory=_NOT_ASKED,
            guests_memory=_NOT_ASKED,
            dhcp=Dhcp(),
            amqp=AmqpConnections(connections=(), ports=(5672,), processes=(), limit_seconds=3600),
            flows=Flows(in_ports={"br-int": self.flow_ports} if self.flow_ports else {}),
        )
