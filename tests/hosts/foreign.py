"""Scenes about rows that are never touched, broken or not."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hostagent.model.guests import DomainState, Manager
from hostagent.model.plan import Owner
from tests.hosts.build import Builder, Scene

OTHER = Owner.OTHER
_FOREIGN_ERROR = "OVS_PORT_FOREIGN_ERROR"


def _broken(build: Builder, name: str, **fields: Any) -> str:
    build.row(name, ids={}, **{"ofport": -1, "error": "No such device", **fields})
    return name


def uplink(build: Builder) -> str:
    name = f"eth{build.number()}"
    build.link(name, kind="", tap=False)
    build.row(name, ids={})
    return name


def lost_uplink(build: Builder) -> str:
    return _broken(build, f"eth{build.number()}")


def bond(build: Builder) -> str:
    name = f"bond{build.number()}"
    port = build.row(name, ids={}, ofport=build.number() + 3000, error="")
    members = tuple(
        replace(port.interfaces[0], uuid=build.uuid(), name=f"{name}.{index}", ofport=build.number() + 3000)
        for index in range(2)
    )
    build.ports[name] = replace(port, interfaces=members)
    return name


def typed(build: Builder) -> str:
    kind = build.rng.choice(["patch", "vxlan", "geneve", "internal", "dpdk", "dpdkvhostuser"])
    ids = build.libvirt_ids() if build.rng.random() < 0.3 else {}
    name = f"x{build.number()}"
    build.row(name, ids=ids, type=kind, ofport=-1, error=f"could not open {kind}")
    return name


def hand_made(build: Builder) -> str:
    return _broken(build, f"tap-hand{build.number()}")


def hybrid(build: Builder) -> str:
    name = f"qvo{build.number()}"
    build.row(name, ids=build.libvirt_ids())
    return name


def trunk(build: Builder) -> str:
    build.bridge("tbr-1", "netdev")
    name = build.vnet()
    build.row(name, ids=build.libvirt_ids(), bridge="tbr-1")
    return name


def representor(build: Builder) -> str:
    name = f"pf0vf{build.number()}"
    build.link(name, kind="", tap=False)
    build.row(name, ids=build.vif_ids(), ofport=-1, error="busy")
    return name


def neutron(build: Builder) -> str:
    name = f"tap{build.number()}"
    build.row(name, ids=build.libvirt_ids(), tag=3, other_config={"net_uuid": build.uuid(), "tag": "3"})
    return name


def ovn(build: Builder) -> str:
    name = build.vnet()
    build.row(name, ids={**build.libvirt_ids(), "ovn-installed": "true"})
    return name


def opennebula(build: Builder) -> str:
    name = build.vnet()
    domain = build.guest(build.nic(name), managers=frozenset({Manager.OPENNEBULA}))
    build.link(name)
    build.row(name, ids=build.libvirt_ids(domain.uuid), tag=77)
    return name


def ovirt(build: Builder) -> str:
    name = build.vnet()
    domain = build.guest(live=False, managers=frozenset({Manager.OVIRT}))
    build.row(name, ids=build.libvirt_ids(domain.uuid))
    return name


def _wired_by_others(build: Builder, **fields: Any) -> str:
    name = f"tap{build.number()}"
    domain = build.guest(build.nic(name, kind="ethernet", bridge=None, ovs=False))
    build.link(name)
    build.row(name, ids=build.vif_ids(domain.uuid), **fields)
    return name


def not_installed(build: Builder) -> str:
    build.external_ids["ovn-remote"] = "ssl:192.0.2.1:6642"
    return _wired_by_others(build)


def dead_vlan(build: Builder) -> str:
    return _wired_by_others(build, tag=4095)


def vhost(build: Builder) -> str:
    name = f"vhu{build.number()}"
    domain = build.guest(build.nic(name, kind="vhostuser", bridge=None, ovs=False), state=DomainState.RUNNING)
    status = {"status": "disconnected"}
    ofport = build.number() + 3000
    build.row(
        name,
        ids=build.vif_ids(domain.uuid),
        type="dpdkvhostuserclient",
        status=status,
        ofport=ofport,
        error="",
    )
    return name


def flow(build: Builder) -> str:
    number = build.number() + 5000
    build.flow_ports[number] = 2
    return str(number)


def transient(build: Builder) -> str:
    build.ctl_options = "--delete-transient-ports"
    name = uplink(build)
    build.ports[name] = replace(build.ports[name], other_config={"transient": "true"})
    return name


FOREIGN: tuple[Scene, ...] = (
    Scene(name="uplink", owner=OTHER, code="", play=uplink),
    Scene(name="lost uplink", owner=OTHER, code=_FOREIGN_ERROR, play=lost_uplink),
    Scene(name="bond", owner=OTHER, code="", play=bond),
    Scene(name="typed", owner=OTHER, code=_FOREIGN_ERROR, play=typed),
    Scene(name="hand-made", owner=OTHER, code=_FOREIGN_ERROR, play=hand_made),
    Scene(name="hybrid plug", owner=OTHER, code=_FOREIGN_ERROR, play=hybrid),
    Scene(name="representor", owner=Owner.OS_VIF, code=_FOREIGN_ERROR, play=representor),
    Scene(name="trunk bridge", owner=OTHER, code=_FOREIGN_ERROR, play=trunk),
    Scene(name="neutron", owner=OTHER, code=_FOREIGN_ERROR, play=neutron),
    Scene(name="OVN", owner=OTHER, code=_FOREIGN_ERROR, play=ovn),
    Scene(name="OpenNebula", owner=OTHER, code="", play=opennebula),
    Scene(name="oVirt", owner=OTHER, code=_FOREIGN_ERROR, play=ovirt),
    Scene(name="not installed", owner=Owner.OS_VIF, code="OVN_PORT_NOT_INSTALLED", play=not_installed),
    Scene(name="dead VLAN", owner=Owner.OS_VIF, code="NEUTRON_PORT_DEAD_VLAN", play=dead_vlan),
    Scene(name="vhost", owner=OTHER, code="OVS_VHOST_DISCONNECTED", play=vhost),
    Scene(name="flow", owner=OTHER, code="OVS_FLOW_ORPHAN", play=flow),
    Scene(name="transient", owner=OTHER, code="OVS_TRANSIENT_TRAP", play=transient),
)
