"""Scenes about rows that libvirt or os-vif made."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hostagent.model.guests import Bandwidth, DomainState, GuestVlan, Rate
from hostagent.model.plan import Owner
from tests.hosts.build import Builder, Scene

LIBVIRT, NAMED, VIF, OTHER = Owner.LIBVIRT, Owner.LIBVIRT_NAMED, Owner.OS_VIF, Owner.OTHER


def _name(build: Builder, owner: Owner) -> str:
    return build.vnet() if owner is LIBVIRT else f"tap{build.number()}"


def _running(build: Builder, owner: Owner, *, link: bool = True, **flags: bool) -> str:
    """A running guest with its tap and row, all in order."""
    name = _name(build, owner)
    vlan = build.rng.choice([None, build.rng.randint(1, 4000)])
    if owner is VIF:
        domain = build.guest(build.nic(name, kind="ethernet", bridge=None, ovs=False))
    else:
        domain = build.guest(build.nic(name, vlan=None if vlan is None else GuestVlan(tags=(vlan,))))
    if link:
        build.link(name, **flags)
    ids = build.vif_ids(domain.uuid) if owner is VIF else build.libvirt_ids(domain.uuid)
    build.row(name, ids=ids, tag=vlan)
    return name


def healthy(build: Builder, owner: Owner) -> str:
    return _running(build, owner)


def dead_rx(build: Builder, owner: Owner) -> str:
    return _running(build, owner, heard=False)


def unattached(build: Builder, owner: Owner) -> str:
    name = _running(build, owner, attached=build.rng.random() < 0.5)
    build.unattached.add(name)
    return name


def error(build: Builder, owner: Owner) -> str:
    name = _running(build, owner)
    port = build.ports[name]
    build.ports[name] = replace(port, interfaces=(replace(port.interfaces[0], ofport=-1, error="busy"),))
    return name


def lost_tap(build: Builder, owner: Owner) -> str:
    return _running(build, owner, link=False)


def stale(build: Builder, owner: Owner) -> str:
    name = _name(build, owner)
    known = build.guest(build.nic(None), live=False).uuid if build.rng.random() < 0.5 else build.uuid()
    qos = build.libvirt_qos(name, known) if build.rng.random() < 0.5 else None
    build.row(name, ids=build.libvirt_ids(known), tag=build.rng.choice([None, 100]), qos=qos)
    return name


def dormant_named(build: Builder) -> str:
    name = _name(build, NAMED)
    domain = build.guest(live=False, persistent_interfaces=(build.nic(name),))
    build.row(name, ids=build.libvirt_ids(domain.uuid))
    return name


def dormant_vif(build: Builder) -> str:
    name = _name(build, VIF)
    known = build.rng.random() < 0.5
    build.row(name, ids=build.vif_ids(build.guest(live=False).uuid if known else None))
    return name


def missing(build: Builder) -> str:
    name = build.vnet()
    build.guest(build.nic(name, vlan=GuestVlan(tags=(7,)), bandwidth=Bandwidth(inbound=Rate(average=500))))
    build.link(name, heard=False, attached=False)
    return name


def wrong_bridge(build: Builder) -> str:
    name = _running(build, LIBVIRT)
    build.ports[name] = replace(build.ports[name], bridge="br-ext")
    return name


def start_failed(build: Builder) -> str:
    name = stale(build, LIBVIRT)
    build.guest(build.nic(None, bridge="br-ext"), live=False, reason="failed")
    return name


def inherited(build: Builder) -> str:
    name = _running(build, LIBVIRT)
    port = build.ports[name]
    if build.rng.random() < 0.5:
        build.ports[name] = replace(port, tag=4001)
    else:
        qos = build.libvirt_qos(name, build.uuid())
        ids = dict(build.qos[qos].external_ids)
        limited = replace(port.interfaces[0], ingress_policing_rate=4000)
        build.ports[name] = replace(port, qos=qos, external_ids=ids, interfaces=(limited,))
    return name


def tap_down(build: Builder) -> str:
    name = _running(build, LIBVIRT)
    build.links[name] = replace(build.links[name], up=False)
    return name


def tap_orphan(build: Builder) -> str:
    name = build.vnet()
    build.link(name, held=False, heard=False, attached=False)
    return name


def qos_orphan(build: Builder) -> str:
    return build.libvirt_qos(build.vnet(), build.uuid())


def duplicate(build: Builder) -> str:
    first, second = _running(build, LIBVIRT), stale(build, LIBVIRT)
    iface_id = build.ports[first].interfaces[0].external_ids["iface-id"]
    port = build.ports[second]
    ids = {**port.interfaces[0].external_ids, "iface-id": iface_id}
    build.ports[second] = replace(port, interfaces=(replace(port.interfaces[0], external_ids=ids),))
    return second


def bridge_missing(build: Builder) -> str:
    name = build.vnet()
    build.guest(build.nic(name, bridge="br-gone"))
    build.link(name, heard=False, attached=False)
    return name


def migrating(build: Builder) -> str:
    """A race: the row looks dead or wrong while its guest is on its way in."""
    name = _running(build, LIBVIRT)
    port = build.ports[name]
    build.ports[name] = replace(port, tag=4002)
    uuid = port.interfaces[0].external_ids["vm-id"]
    coming = {
        "state": DomainState.PAUSED,
        "reason": build.rng.choice(["migration", "postcopy", "starting up"]),
    }
    leaving: dict[str, Any] = {"job": "outgoing migration"}
    build.domains[uuid] = replace(build.domains[uuid], **build.rng.choice([coming, leaving]))
    return name


def _scene(name: str, owner: Owner, code: str) -> Scene:
    play = globals()[name]
    return Scene(name=f"{name} {owner}", owner=owner, code=code, play=lambda build: str(play(build, owner)))


OURS: tuple[Scene, ...] = (
    *(_scene("healthy", owner, "") for owner in (LIBVIRT, NAMED, VIF)),
    *(_scene("dead_rx", owner, "OVS_PORT_DEAD_RX") for owner in (LIBVIRT, NAMED, VIF)),
    *(_scene("unattached", owner, "OVS_PORT_UNATTACHED") for owner in (LIBVIRT, NAMED, VIF)),
    *(_scene("error", owner, "OVS_PORT_ERROR") for owner in (LIBVIRT, NAMED, VIF)),
    *(_scene("lost_tap", owner, "OVS_PORT_ERROR") for owner in (LIBVIRT, NAMED, VIF)),
    *(_scene("stale", owner, "OVS_PORT_STALE") for owner in (LIBVIRT, NAMED)),
    Scene(name="dormant named", owner=NAMED, code="OVS_PORT_DORMANT", play=dormant_named),
    Scene(name="dormant os-vif", owner=VIF, code="OVS_PORT_DORMANT", play=dormant_vif),
    Scene(name="missing", owner=LIBVIRT, code="OVS_PORT_MISSING", play=missing),
    Scene(name="wrong bridge", owner=LIBVIRT, code="OVS_PORT_WRONG_BRIDGE", play=wrong_bridge),
    Scene(name="start failed", owner=LIBVIRT, code="OVS_PORT_WRONG_BRIDGE", play=start_failed),
    Scene(name="inherited", owner=LIBVIRT, code="OVS_PORT_INHERITED", play=inherited),
    Scene(name="migrating", owner=LIBVIRT, code="OVS_PORT_INHERITED", play=migrating),
    Scene(name="tap down", owner=LIBVIRT, code="OVS_TAP_DOWN", play=tap_down),
    Scene(name="tap orphan", owner=OTHER, code="OVS_TAP_ORPHAN", play=tap_orphan),
    Scene(name="QoS orphan", owner=OTHER, code="OVS_QOS_ORPHAN", play=qos_orphan),
    Scene(name="duplicate", owner=LIBVIRT, code="OVS_IFACE_ID_DUPLICATE", play=duplicate),
    Scene(name="bridge missing", owner=OTHER, code="OVS_BRIDGE_MISSING", play=bridge_missing),
)
