"""What the boot's purge deletes: rows of libvirt's generated names without a link, and libvirt's orphans.

Between ovsdb-server and vswitchd neither vswitchd nor libvirt can be asked. That no guest runs is proven
otherwise: no tap exists and no process that runs or could start a guest. So an empty set of domains is the
truth here and not a failed read. Where that proof is missing nothing is planned.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from hostagent.decide.drift import absent, qos
from hostagent.decide.drift.owners import GENERATED
from hostagent.decide.drift.world import join
from hostagent.decide.repair import merged_step
from hostagent.model.guests import Domains
from hostagent.model.host import Snapshot, Trouble, Unavailable
from hostagent.model.plan import Finding, Owner, Plan, StepKind

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from hostagent.decide.drift.world import World
    from hostagent.model.ports import Links, Ovs

_USERSPACE = "ovs-netdev"  # the tap of the userspace datapath itself (lib/dpif-netdev.c)


def plan_purge(ovs: Ovs, links: Links, hypervisors: Sequence[str]) -> Plan:
    """Decide from the rows as they are before vswitchd starts.

    ``hypervisors`` are running processes, in words, that are a guest or could start one.
    """
    if hypervisors:
        return Plan(steps=(), refused=f"{hypervisors[0]} is running: this is no boot")
    if taps := sorted(_taps(ovs, links)):
        return Plan(steps=(), refused=f"tap {taps[0]} exists: a guest may be running")
    if ovs.flow_restore_wait:
        return Plan(steps=(), refused="Open vSwitch restores flows (other_config:flow-restore-wait=true)")
    world = join(_at_boot(ovs, links))
    if world is None:
        raise AssertionError  # all three of its sections are given
    found = sorted(_findings(world), key=lambda each: (each.code, each.object))
    return Plan(steps=tuple(merged_step([each], ovs, links) for each in found))


def _taps(ovs: Ovs, links: Links) -> Iterator[str]:
    """Links that may be a guest's; a userspace datapath's internal ports are taps of vswitchd's own."""
    internal = {_USERSPACE} | {
        each.name for port in ovs.ports.values() for each in port.interfaces if each.type == "internal"
    }
    for name, link in links.by_name.items():
        if GENERATED.match(name) or (link.tap and name not in internal):
            yield name


def ran_before(ovs: Ovs) -> frozenset[str]:
    """The domains that libvirt has rows of: they ran when the power went, or OVS was gone when they stopped.

    nova's rows say nothing: they stay while an instance is shut off.
    """
    rows = (each.external_ids for port in ovs.ports.values() for each in port.interfaces)
    return frozenset(ids["vm-id"] for ids in rows if "vm-id" in ids and "vm-uuid" not in ids)


def _findings(world: World) -> Iterator[Finding]:
    for each in absent.find(world):
        if each.code == absent.STALE and each.owner is Owner.LIBVIRT:
            port = world.ovs.ports[each.name]
            domain = port.interfaces[0].external_ids["vm-id"]
            words = f"no tap {each.name} at boot; the row was made for domain {domain}"
            yield replace(each, detail=words)
    for each in qos.find(world.ovs, world.domains):
        rows = world.ovs.qos if each.remedy and each.remedy.kind is StepKind.DELETE_QOS else world.ovs.queues
        ids = rows[each.object].external_ids
        words = f"made by libvirt for {ids['ifname']} of domain {ids['vm-id']}; nothing references it at boot"
        yield replace(each, detail=words)


def _at_boot(ovs: Ovs, links: Links) -> Snapshot:
    early = Unavailable(trouble=Trouble.NOT_ASKED, reason="it is not running yet", since=0.0)
    return Snapshot(
        taken_at=0.0,
        domains=Domains(by_uuid={}),
        ovs=ovs,
        links=links,
        vswitchd=early,
        packet_sockets=early,
        tap_holders=early,
        ovs_ctl_options=early,
        flows=early,
        units=early,
        memory=early,
        guests_memory=early,
        dhcp=early,
        amqp=early,
    )
