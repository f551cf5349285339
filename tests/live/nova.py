"""A healthy node of nova, neutron, OVN and OpenNebula: the rows, links and guests that those tools make."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from tests.live.test_untouched import plug

if TYPE_CHECKING:
    from tests.lab import Node

COMING = UUID(int=0xC0)
ETHERNET = """<domain type='qemu'><name>instance-1</name><uuid>{uuid}</uuid><memory unit='MiB'>64</memory>
<metadata><nova:instance xmlns:nova="http://openstack.org/xmlns/libvirt/nova/1.1"/></metadata>
<os><type arch='x86_64' machine='pc'>hvm</type></os><devices><emulator>/usr/bin/qemu-system-x86_64</emulator>
<interface type='ethernet'><mac address='fa:16:3e:00:00:01'/><target dev='tapoff'/><model type='virtio'/>
</interface></devices></domain>
"""
OFF = UUID(int=0xD0)


def _vif(number: int, instance: UUID) -> str:
    """As os_vif/internal/ip and vif_plug_ovs/ovsdb/ovsdb_lib.py create_ovs_vif_port writes them."""
    ids = {
        "iface-id": UUID(int=number),
        "iface-status": "active",
        "attached-mac": f"fa\\:16\\:3e\\:00\\:00\\:{number:02x}",
        "vm-uuid": instance,
    }
    return " ".join(f"external_ids:{key}={value}" for key, value in ids.items())


def nova_like(node: Node) -> None:
    """Everything off or on its way, but one guest of OpenNebula's that runs."""
    node.write("/root/instance.xml", ETHERNET.format(uuid=OFF))
    node.run("virsh", "-q", "define", "/root/instance.xml")
    neutron = "tag={0} other_config:net_uuid=n other_config:network_type=vxlan other_config:tag={0}"
    plug(node, "br-int", "tapoff", neutron.format(3), _vif(1, OFF))
    plug(node, "br-int", "tapcoming", "", _vif(2, COMING))
    # trunk: the parent on its own bridge, patches for it and a subport (neutron's trunk_manager.py)
    node.run(*"ovs-vsctl add-br tbr-77 -- set Bridge tbr-77 datapath_type=netdev".split())
    plug(node, "tbr-77", "taptrunk", "", _vif(3, OFF))
    for side, bridge, peer in (("tpt-7", "tbr-77", "tpi-7"), ("spt-8", "tbr-77", "spi-8")):
        plug(node, bridge, side, "tag=100" if side == "spt-8" else "", f"type=patch options:peer={peer}")
        plug(node, "br-int", peer, neutron.format(4), f"type=patch options:peer={side}")
    # hybrid plug: tap on a Linux bridge, a veth pair from there to br-int
    node.run(*"ip link add qbr9 type bridge".split())
    node.run(*"ip link add qvo9 type veth peer name qvb9".split())
    node.run(*"ip link set qvb9 master qbr9".split())
    plug(node, "br-int", "qvo9", neutron.format(5), _vif(9, OFF))
    # OVN: no tag, ovn-controller's marks
    marks = "external_ids:ovn-installed=true external_ids:ovn-installed-ts=1"
    plug(node, "br-int", "tapovn", "", f"{_vif(10, OFF)} {marks}")
    node.run(*"ovs-vsctl -- --id=@q create QoS type=linux-noop -- set Port tapoff qos=@q".split())
    node.guest("one-7", bridge="br-int", ip="10.9.0.7/24", tap="one-7-0")
    xml = node.run("virsh", "dumpxml", "one-7").stdout
    one = '<metadata><one:vm xmlns:one="http://opennebula.org/xmlns/libvirt/1.0"/></metadata>'
    node.write("/root/one.xml", xml.replace("<memory ", f"{one}<memory ", 1))
    node.run("virsh", "-q", "define", "/root/one.xml")
    node.start("one-7")
    node.run("ovs-vsctl", "set", "Port", "one-7-0", "tag=77")  # OpenNebula tags after the start
