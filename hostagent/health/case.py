"""A host written down in TOML: the examples of checks and the case folders of the tests.

Everything has the default of a healthy host, so that a case says only what it is about::

    [unavailable]                    # sections that could not be read: "TROUBLE: reason"
    domains = "unresponsive: libvirt did not answer within 5 s"
    [bridges]                        # name = datapath_type; br-int = "netdev" if the table is missing
    br-int = "netdev"
    [bridge_ids]                     # external_ids of bridges
    br-int = { key = "value" }
    [ovs]                            # fields of model.ports.Ovs: external_ids, flow_restore_wait, …
    [[port]]                         # bridge = "br-int", name; tag, trunks, vlan_mode, qos (a QoS uuid)
    name = "vnet0"                   #   port_ids (Port external_ids), other_config
    vm = "alice"    #   vm-id: a domain's name here, or any UUID; os_vif = the same as vm-uuid
    mac = "52:54:00:00:00:01"  #   attached-mac; iface_id = iface-id; ids = further Interface external_ids
    ofport = 1                       #   type, error, ifindex, status, ingress_policing_rate, …_burst
    interfaces = ["eth0", "eth1"]    #   a bond, instead of the one interface of the port's name
    [[qos]]                          # uuid, type, queues, external_ids;   [[queue]] likewise
    [[link]]                         # name, ifindex, tap (true for vnetN), kind, master, up, mtu, mac
    [[domain]]                       # name, uuid (made from the name), live (true), state, reason, job,
    name = "alice"                   #   persistent, managers, persistent_interfaces, autostart,
    boot = { adopted = true }        #   boot: priority, after = ["db"], exempt, adopted
    [[domain.interface]]  #   kind = "bridge", bridge = "br-int", ovs = true, tap, mac, interface_id,
    tap = "vnet0"  #   vlan = 100 or { tags = [1, 2], trunk = true, native = [1, "tagged"] },
    vlan = 100                       #   inbound / outbound = KiB/s or { average, peak, burst }, link_up, mtu
    [datapath.br-int]                # vswitchd's ports; default: every port of the bridge with ofport >= 0
    vnet0 = 1                        #   port = ofport
    packet_sockets = [7]             # default: the ifindex of every link that is a port (top of the file)
    tap_holders = { vnet0 = [101] }  # default: process 1000 + ifindex for every tap
    ovs_ctl_options = ""
    [flows.br-int]                   # "in_port" = number of rules
    [memory]                         # and [[guest_memory]]: see health/case_memory.py
    [units]                          # see health/case_units.py;   [dhcp]  see health/case_dhcp.py
    [boots]                          # what the agent's pacing tells: see health/case_boot.py
    [amqp]                           # ports, processes, limit_seconds (3600)
    [[amqp.connection]]  #   peer; local, port, process (nova-compute), keepalive (on), idle_seconds,
    peer = "10.0.0.9"                #   silence_seconds (60), pid
"""

from __future__ import annotations

import tomllib
from typing import Any

from hostagent.decide.drift import find_drift
from hostagent.health.case_boot import boots_of
from hostagent.health.case_dhcp import dhcp_of
from hostagent.health.case_memory import guests_memory_of, memory_of
from hostagent.health.case_rows import link_row, ovs_rows, uuid_of
from hostagent.health.case_units import units_of
from hostagent.health.records import Context
from hostagent.model.boot_wish import BootWish
from hostagent.model.connections import AmqpConnections, Connection, Keepalive
from hostagent.model.guests import (
    Bandwidth,
    Domain,
    Domains,
    DomainState,
    GuestInterface,
    GuestVlan,
    Manager,
    Rate,
)
from hostagent.model.host import Snapshot, Trouble, Unavailable
from hostagent.model.ports import DatapathPort, Flows, Links, Ovs, Vswitchd


def parse_context(text: str) -> Context:
    """Read a host's TOML with all that checks look at.

    Raises:
        tomllib.TOMLDecodeError, TypeError, ValueError: as parse_host.
    """
    snapshot, boots = parse_host(text), tomllib.loads(text).get("boots")
    told = None if boots is None else boots_of(boots, snapshot.taken_at)
    return Context(snapshot=snapshot, drift=find_drift(snapshot), boots=told)


def parse_host(text: str) -> Snapshot:
    """Read a host's TOML, without what is no part of the Snapshot (``[boots]``).

    Raises:
        tomllib.TOMLDecodeError: it is no TOML.
        TypeError, ValueError: it has a key or value that the records of model/ don't have.
    """
    raw = tomllib.loads(text)
    raw.pop("boots", None)
    domains = _domains(raw.pop("domain", []))
    links = Links(by_name={item["name"]: link_row(item) for item in raw.pop("link", [])})
    ovs = ovs_rows(raw, links)
    sections: dict[str, Any] = {
        "domains": domains,
        "ovs": ovs,
        "links": links,
        "vswitchd": Vswitchd(pid=100, version="3.1.0", datapath=_datapath(raw.pop("datapath", None), ovs)),
        "packet_sockets": frozenset(raw.pop("packet_sockets", _ports_ifindexes(ovs, links))),
        "tap_holders": _holders(raw.pop("tap_holders", None), links),
        "ovs_ctl_options": raw.pop("ovs_ctl_options", ""),
        "flows": Unavailable(trouble=Trouble.NOT_ASKED, reason="read with --full only", since=0.0),
    }
    sections["units"] = units_of(raw.pop("units", {}))
    sections["memory"] = memory_of(raw.pop("memory", {}))
    sections["guests_memory"] = guests_memory_of(raw.pop("guest_memory", []))
    sections["dhcp"] = dhcp_of(raw.pop("dhcp", {}))
    sections["amqp"] = _amqp(raw.pop("amqp", {}))
    if (flows := raw.pop("flows", None)) is not None:
        sections["flows"] = Flows(
            in_ports={
                bridge: {int(port): count for port, count in ports.items()} for bridge, ports in flows.items()
            }
        )
    for name, word in raw.pop("unavailable", {}).items():
        if name not in sections:
            raise ValueError(f"unavailable.{name}: the Snapshot has no such section")
        trouble, _, reason = word.partition(": ")
        sections[name] = Unavailable(trouble=Trouble(trouble), reason=reason, since=0.0)
    taken_at = raw.pop("taken_at", 0.0)
    if raw:
        raise ValueError(f"a host has no {', '.join(sorted(raw))}")
    return Snapshot(taken_at=taken_at, **sections)


def _datapath(raw: dict[str, dict[str, int]] | None, ovs: Ovs) -> dict[str, dict[str, DatapathPort]]:
    if raw is None:
        raw = {name: {} for name in ovs.bridges}
        for port in ovs.ports.values():
            for each in port.interfaces:
                if each.ofport is not None and each.ofport >= 0:
                    raw.setdefault(port.bridge, {})[each.name] = each.ofport
    return {
        bridge: {name: DatapathPort(ofport=ofport, number=ofport, type="") for name, ofport in ports.items()}
        for bridge, ports in raw.items()
    }


def _ports_ifindexes(ovs: Ovs, links: Links) -> set[int]:
    return {links.by_name[name].ifindex for name in ovs.ports if name in links.by_name}


def _holders(raw: dict[str, list[int]] | None, links: Links) -> dict[str, tuple[int, ...]]:
    if raw is None:
        return {link.name: (1000 + link.ifindex,) for link in links.by_name.values() if link.tap}
    return {name: tuple(pids) for name, pids in raw.items()}


def _amqp(raw: dict[str, Any]) -> AmqpConnections:
    default = {"local": "10.0.0.1", "port": 5672, "process": "nova-compute", "pid": 4000}
    found = tuple(_connection(default | item) for item in raw.pop("connection", ()))
    return AmqpConnections(
        connections=found,
        ports=tuple(raw.pop("ports", (5672, 5671))),
        processes=tuple(raw.pop("processes", ())),
        limit_seconds=raw.pop("limit_seconds", 3600),
        **raw,
    )


def _connection(item: dict[str, Any]) -> Connection:
    keepalive = Keepalive(item.pop("keepalive", "on"))
    silence = item.pop("silence_seconds", 60) if keepalive is Keepalive.ON else None
    return Connection(
        keepalive=keepalive,
        idle_seconds=item.pop("idle_seconds", 10),
        silence_seconds=silence,
        **item,
    )


def _domains(items: list[dict[str, Any]]) -> Domains:
    found = [_domain(item) for item in items]
    return Domains(by_uuid={domain.uuid: domain for domain in found})


def _domain(item: dict[str, Any]) -> Domain:
    live = item.pop("live", True)
    interfaces = tuple(_interface(each) for each in item.pop("interface", []))
    persistent = tuple(_interface(each) for each in item.pop("persistent_interfaces", []))
    state = DomainState(item.pop("state", "running" if live else "shutoff"))
    managers = frozenset(Manager(word) for word in item.pop("managers", ()))
    uuid = item.pop("uuid", uuid_of(item["name"]))
    boot = item.pop("boot", {})
    return Domain(
        wish=BootWish(**boot | {"after": tuple(boot.get("after", ()))}),
        uuid=uuid,
        live=live,
        state=state,
        managers=managers,
        interfaces=interfaces,
        persistent_interfaces=persistent,
        **item,
    )


def _interface(item: dict[str, Any]) -> GuestInterface:
    kind = item.pop("kind", "bridge")
    told = kind in {"bridge", "network"}
    vlan = item.pop("vlan", None)
    if isinstance(vlan, int):
        vlan = GuestVlan(tags=(vlan,))
    elif vlan is not None:
        native = vlan.get("native")
        vlan = GuestVlan(
            tags=tuple(vlan["tags"]),
            trunk=vlan.get("trunk", False),
            native=None if native is None else (native[0], native[1]),
        )
    bandwidth = Bandwidth(
        inbound=_rate(item.pop("inbound", None)), outbound=_rate(item.pop("outbound", None))
    )
    return GuestInterface(
        kind=kind,
        bridge=item.pop("bridge", "br-int" if told else None),
        ovs=item.pop("ovs", told),
        mac=item.pop("mac", "52:54:00:00:00:01"),
        vlan=vlan,
        bandwidth=bandwidth,
        **item,
    )


def _rate(raw: int | dict[str, int] | None) -> Rate | None:
    if raw is None:
        return None
    return Rate(average=raw) if isinstance(raw, int) else Rate(**raw)
