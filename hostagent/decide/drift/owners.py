"""Who made a port's row: the rule that stands before every repair (DRIFT's table of owners).

In doubt the answer is OTHER, which nobody touches. The prefixes are neutron's and os-vif's own
(neutron/agent/common/ovs_lib.py, os_vif/.../constants.py): qvo/qvb hybrid plug, tbr- trunk bridges,
spt/tpt/spi/tpi their patch ports, pb trunk parents.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hostagent.model.guests import Domain, GuestInterface, Manager
from hostagent.model.plan import Owner

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hostagent.model.ports import Link, OvsBridge, OvsInterface, OvsPort

GENERATED = re.compile(r"vnet\d+\Z")
_NEUTRON_NAMES = ("qvo", "qvb", "qbr", "tbr-", "pb", "spt-", "tpt-", "spi-", "tpi-", "int-br", "phy-br")
_NEUTRON_KEYS = frozenset({"net_uuid", "network_type", "physical_network", "segmentation_id", "tag"})
_METADATA_OWNERS = frozenset({Manager.OVIRT, Manager.OPENNEBULA})


@dataclass(frozen=True, slots=True, kw_only=True)
class Ownership:
    """``whose`` says it for a person: "libvirt", "neutron", "a bond"."""

    owner: Owner
    whose: str


def ownership(
    port: OvsPort,
    *,
    bridge: OvsBridge | None,
    link: Link | None,
    claim: tuple[Domain, GuestInterface] | None,
    domains: Mapping[str, Domain],
) -> Ownership:
    """Decide who made ``port``; ``claim`` is the live domain's interface whose tap has the port's name."""
    if _opted_out(port, bridge):
        return Ownership(owner=Owner.IGNORED, whose="opted out by external_ids")
    if foreign := _foreign_shape(port, link):
        return Ownership(owner=Owner.OTHER, whose=foreign)
    ids = port.interfaces[0].external_ids
    if "vm-uuid" in ids:
        return Ownership(owner=Owner.OS_VIF, whose="os-vif")
    if any(key.startswith("ovn-installed") for key in ids):
        return Ownership(owner=Owner.OTHER, whose="OVN")
    if _NEUTRON_KEYS & port.other_config.keys():
        return Ownership(owner=Owner.OTHER, whose="neutron")
    if "vm-id" not in ids:
        return Ownership(owner=Owner.OTHER, whose="not made by libvirt")
    return _of_libvirt(port, ids["vm-id"], claim, domains)


def _opted_out(port: OvsPort, bridge: OvsBridge | None) -> bool:
    rows = [port.external_ids, *(each.external_ids for each in port.interfaces)]
    if bridge is not None:
        rows.append(bridge.external_ids)
    return any(row.get("hostagent") == "ignore" or row.get("skip_cleanup") == "true" for row in rows)


def _foreign_shape(port: OvsPort, link: Link | None) -> str:
    """What the row is by its shape alone, if that already makes it somebody else's."""
    if len(port.interfaces) != 1:
        return "a bond"
    interface: OvsInterface = port.interfaces[0]
    if interface.type not in {"", "system"}:
        return f"a port of type {interface.type}"
    if port.fake_bridge:
        return "a VLAN bridge"
    if port.bridge.startswith("tbr-"):
        return "neutron's trunk bridge"
    if port.name.startswith(_NEUTRON_NAMES):
        return "neutron"
    if interface.name != port.name:
        return "made by hand: its interface has another name"
    if link is not None and not link.tap and "vm-uuid" not in interface.external_ids:
        return "a device that is no tap"
    return ""


def _of_libvirt(
    port: OvsPort, domain_id: str, claim: tuple[Domain, GuestInterface] | None, domains: Mapping[str, Domain]
) -> Ownership:
    concerned = [domain for domain in (domains.get(domain_id), claim and claim[0]) if domain]
    for domain in concerned:
        if found := sorted(domain.managers & _METADATA_OWNERS):
            return Ownership(owner=Owner.OTHER, whose=found[0])
    if claim is not None and not claim[1].ovs:
        return Ownership(owner=Owner.OTHER, whose=f"interface of type {claim[1].kind}")
    if GENERATED.match(port.name):
        return Ownership(owner=Owner.LIBVIRT, whose="libvirt")
    return Ownership(owner=Owner.LIBVIRT_NAMED, whose="libvirt, given name")
