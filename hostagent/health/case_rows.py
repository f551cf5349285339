"""The OVSDB and rtnetlink part of a host written down in TOML (see case)."""

from __future__ import annotations

from typing import Any
from uuid import NAMESPACE_DNS, uuid5

from hostagent.model.ports import Link, Links, Ovs, OvsBridge, OvsInterface, OvsPort, OvsQos, OvsQueue


def uuid_of(name: str) -> str:
    """The UUID that a domain, port or QoS of this name has where the case gives none."""
    return str(uuid5(NAMESPACE_DNS, name))


def link_row(item: dict[str, Any]) -> Link:
    """One ``[[link]]``."""
    tap = item.pop("tap", item["name"].startswith("vnet"))
    return Link(tap=tap, kind=item.pop("kind", "tun" if tap else ""), **item)


def ovs_rows(raw: dict[str, Any], links: Links) -> Ovs:
    """Bridges, ports, QoS and queues, taken out of ``raw``."""
    ids = raw.pop("bridge_ids", {})
    bridges = {
        name: OvsBridge(uuid=uuid_of(name), name=name, datapath_type=datapath, external_ids=ids.get(name, {}))
        for name, datapath in raw.pop("bridges", {"br-int": "netdev"}).items()
    }
    ports = {item["name"]: _port(item, links) for item in raw.pop("port", [])}
    qos = {
        item["uuid"]: OvsQos(queues=frozenset(item.pop("queues", ())), **item) for item in raw.pop("qos", [])
    }
    queues = {item["uuid"]: OvsQueue(**item) for item in raw.pop("queue", [])}
    extra = raw.pop("ovs", {})
    return Ovs(
        schema_version=extra.pop("schema_version", "8.3.1"),
        bridges=bridges,
        ports=ports,
        qos=qos,
        queues=queues,
        **extra,
    )


def _port(item: dict[str, Any], links: Links) -> OvsPort:
    name = item.pop("name")
    ids = dict(item.pop("ids", {}))
    for key, column in (("vm", "vm-id"), ("os_vif", "vm-uuid")):
        if key in item:
            word = item.pop(key)
            ids[column] = word if word.count("-") == 4 else uuid_of(word)
    if "mac" in item:
        ids["attached-mac"] = item.pop("mac")
    if "iface_id" in item:
        ids["iface-id"] = item.pop("iface_id")
    link = links.by_name.get(name)
    column_names = (
        "type",
        "ofport",
        "error",
        "ifindex",
        "status",
        "ingress_policing_rate",
        "ingress_policing_burst",
    )
    columns = {key: item.pop(key) for key in column_names if key in item}
    if link is not None:
        columns.setdefault("ifindex", link.ifindex)
        columns.setdefault("ofport", link.ifindex)
    interfaces = tuple(
        OvsInterface(uuid=uuid_of(f"interface {each}"), name=each, external_ids=ids, **columns)
        for each in item.pop("interfaces", [name])
    )
    return OvsPort(
        uuid=item.pop("uuid", uuid_of(f"port {name}")),
        name=name,
        bridge=item.pop("bridge", "br-int"),
        interfaces=interfaces,
        trunks=tuple(item.pop("trunks", ())),
        external_ids=item.pop("port_ids", {}),
        **item,
    )
