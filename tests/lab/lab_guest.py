#!/usr/bin/python3
"""lab-guest: writes and defines the XML of a test guest. Runs inside a node, as /usr/local/bin/lab-guest."""

import argparse
import hashlib
import ipaddress
import os
import subprocess
import sys
import uuid
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

FOLDER = Path("/srv/guest")
IMAGES = Path("/var/lib/libvirt/images")

# The only way to loop is a script, and the only way in is the initrd. Each imgfetch starts iPXE asking for a
# neighbour that is not there: five broadcast ARP requests within 2 s, sent while `prompt` idles. Six such
# neighbours, more than 5 s per turn: five frames a second, gaps below 0.4 s, 4 % of a core. (A UDP broadcast per
# imgfetch would cost 25 % of a core: it spins for a BIOS tick.) The netmask is /8 so that the absent
# neighbours lie outside the guest's own subnet and yet on the link.
BEACON_HEAD = """#!ipxe
set net0/ip {ip}
set net0/netmask 255.0.0.0
ifopen net0
:loop
"""
BEACON_STEP = """imgfetch --timeout 1 tftp://{target}/beacon ||
prompt --timeout 850 ||
"""
BEACON_TAIL = "goto loop\n"
# With less, QEMU 7.2 puts the initrd where this iPXE's own code goes (64 MiB of memory and below).
BEACON_BYTES = 2 << 20


def arguments(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="lab-guest", description="Test guests of this node.")
    define = parser.add_subparsers(required=True).add_parser("define", help="define a guest, do not start it")
    define.add_argument("name")
    define.add_argument("--bridge", required=True)
    define.add_argument("--vlan", type=int, metavar="N")
    define.add_argument("--mac", help="default: made from the name")
    define.add_argument("--ip", type=ipaddress.IPv4Interface, metavar="CIDR", help="static address, and beacons")
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


def beacon(ip: ipaddress.IPv4Address) -> str:
    """Return the iPXE script of a guest that beacons."""
    first, second, third, _ = ip.packed
    absent = ipaddress.IPv4Address(bytes([first, 255, 254 if (second, third) == (255, 255) else 255, 1]))
    steps = "".join(BEACON_STEP.format(target=absent + number) for number in range(6))
    return BEACON_HEAD.format(ip=ip) + steps + BEACON_TAIL


def os_section(guest: argparse.Namespace) -> str:
    if guest.kind == "linux":
        words = f"console=ttyS0 quiet panic=1 lab.name={guest.name}" + (f" lab.ip={guest.ip}" if guest.ip else "")
        boot = f"<kernel>{FOLDER}/vmlinuz</kernel><initrd>{FOLDER}/initrd.gz</initrd><cmdline>{escape(words)}</cmdline>"
    elif guest.ip is None:
        boot = f"<kernel>{FOLDER}/ipxe.lkrn</kernel><cmdline>ifopen net0 ; shell</cmdline>"
    else:
        path = FOLDER / f"{guest.name}.ipxe"
        path.write_text(beacon(guest.ip.ip))
        os.truncate(path, BEACON_BYTES)
        boot = (
            f"<kernel>{FOLDER}/ipxe.lkrn</kernel><initrd>{escape(str(path))}</initrd>"
            "<cmdline>imgexec &lt;INITRD&gt; ; shell</cmdline>"
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
