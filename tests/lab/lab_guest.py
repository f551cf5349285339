#!/usr/bin/python3
"""lab-guest: writes and defines the XML of a test guest. Runs inside a node, as /usr/local/bin/lab-guest."""

import argparse
import hashlib
import ipaddress
import subprocess
import sys
import uuid
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

FOLDER = Path("/srv/guest")
IMAGES = Path("/var/lib/libvirt/images")


def arguments(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="lab-guest", description="Test guests of this node.")
    define = parser.add_subparsers(required=True).add_parser("define", help="define a guest, do not start it")
    define.add_argument("name")
    define.add_argument("--bridge", required=True)
    define.add_argument("--vlan", type=int, metavar="N")
    define.add_argument("--mac", help="default: made from the name")
    define.add_argument("--ip", type=ipaddress.IPv4Interface, metavar="CIDR", help="its address; it beacons")
    define.add_argument("--bandwidth", type=int, metavar="KBPS", help="kilobytes per second, both ways")
    define.add_argument("--kind", choices=("ipxe", "linux"), default="ipxe")
    define.add_argument("--memory", type=int, metavar="MIB", help="default: 64 for ipxe, 128 for linux")
    define.add_argument("--disk", type=int, metavar="MIB", help="a sparse raw disk on virtio-blk")
    define.add_argument("--tap", metavar="NAME", help="fixed tap name; names with vnet are libvirt's own")
    define.add_argument("--autostart", action="store_true")
    return parser.parse_args(argv)


def mac_of(name: str) -> str:
    """Return the MAC a guest has unless it is given another one."""
    octets = hashlib.sha256(name.encode()).digest()[:3]
    return "52:54:00:" + octets.hex(":")


def ipxe_commands(ip: ipaddress.IPv4Address) -> str:
    """Return the command line of an iPXE guest that answers and beacons.

    The netmask is /8 so that the neighbours it asks for lie outside its own subnet and yet on the link.
    """
    first, second, third, _ = ip.packed
    absent = f"{first}.255.{254 if (second, third) == (255, 255) else 255}"
    return (
        f"set net0/ip {ip} ; set net0/netmask 255.0.0.0 ; ifopen net0 ; set absent {absent} ; "
        "imgexec <INITRD> ; shell"
    )


def os_section(guest: argparse.Namespace) -> str:
    if guest.kind == "linux":
        words = f"console=ttyS0 quiet panic=1 lab.name={guest.name}"
        if guest.ip is not None:
            words += f" lab.ip={guest.ip}"
        boot = (
            f"<kernel>{FOLDER}/vmlinuz</kernel><initrd>{FOLDER}/initrd.gz</initrd>"
            f"<cmdline>{escape(words)}</cmdline>"
        )
    elif guest.ip is None:
        boot = f"<kernel>{FOLDER}/ipxe.lkrn</kernel><cmdline>ifopen net0 ; shell</cmdline>"
    else:
        boot = (
            # The script is the only way to loop, and the initrd the only way in.
            f"<kernel>{FOLDER}/ipxe.lkrn</kernel><initrd>{FOLDER}/beacon.ipxe</initrd>"
            f"<cmdline>{escape(ipxe_commands(guest.ip.ip))}</cmdline>"
        )
    return f"<os><type arch='x86_64' machine='pc'>hvm</type>{boot}</os>"


def interface(guest: argparse.Namespace) -> str:
    parts = [
        f"<mac address={quoteattr(guest.mac or mac_of(guest.name))}/>",
        f"<source bridge={quoteattr(guest.bridge)}/><virtualport type='openvswitch'/>",
        "<model type='virtio'/><rom enabled='no'/>",
    ]
    if guest.vlan is not None:
        parts.append(f"<vlan><tag id='{guest.vlan}'/></vlan>")
    if guest.bandwidth is not None:
        rate = f"average='{guest.bandwidth}'"
        parts.append(f"<bandwidth><inbound {rate}/><outbound {rate}/></bandwidth>")
    if guest.tap is not None:
        parts.append(f"<target dev={quoteattr(guest.tap)}/>")
    return f"<interface type='bridge'>{''.join(parts)}</interface>"


def devices(guest: argparse.Namespace) -> str:
    parts = ["<emulator>/usr/bin/qemu-system-x86_64</emulator>", interface(guest)]
    parts.append("<controller type='usb' model='none'/>")
    if guest.kind == "linux":
        log = f"/var/log/libvirt/qemu/{guest.name}-console.log"
        parts.append(f"<serial type='file'><source path={quoteattr(log)}/></serial>")
        parts.append("<memballoon model='virtio'/>")
    else:
        parts.append("<memballoon model='none'/>")
    if guest.disk is not None:
        image = IMAGES / f"{guest.name}.img"
        with image.open("ab") as disk:
            disk.truncate(guest.disk << 20)
        parts.append(
            "<disk type='file' device='disk'><driver name='qemu' type='raw'/>"
            f"<source file={quoteattr(str(image))}/><target dev='vda' bus='virtio'/></disk>"
        )
    return f"<devices>{''.join(parts)}</devices>"


def domain(guest: argparse.Namespace) -> str:
    """Return the domain's XML; the UUID is the same each time the name is defined in this node."""
    node = uuid.UUID(Path("/etc/machine-id").read_text().strip())
    memory = guest.memory or (128 if guest.kind == "linux" else 64)
    return (
        f"<domain type='qemu'><name>{escape(guest.name)}</name><uuid>{uuid.uuid5(node, guest.name)}</uuid>"
        f"<memory unit='MiB'>{memory}</memory><vcpu>1</vcpu>"
        f"{os_section(guest)}<features><acpi/></features>"
        "<on_poweroff>destroy</on_poweroff><on_reboot>restart</on_reboot><on_crash>destroy</on_crash>"
        f"{devices(guest)}</domain>"
    )


def virsh(*argv: str, xml: str | None = None) -> None:
    done = subprocess.run(["virsh", "-q", "-c", "qemu:///system", *argv], input=xml, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(done.returncode)


def main() -> None:
    guest = arguments(sys.argv[1:])
    virsh("define", "/dev/stdin", xml=domain(guest))
    if guest.autostart:
        virsh("autostart", guest.name)


if __name__ == "__main__":
    main()
