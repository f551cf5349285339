"""Guests of 8 MiB that do nothing but read, from a boot sector; and one whose agent connects."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final
from xml.sax.saxutils import escape

from tests.lab import image
from tests.lab.initramfs import Archive
from tests.lab.programs import run

if TYPE_CHECKING:
    from pathlib import Path

    from tests.lab import Node

# sti; hlt; then BIOS reads sector 2 of the disk it was booted from to 0:7e00 (int 13h, function 2); again.
# The timer ends each hlt: 18 reads a second.
_READS: Final = bytes.fromhex("fb f4 b80102 b90200 b600 bb007e cd13 ebef")
SECTOR: Final = _READS.ljust(510, b"\0") + b"\x55\xaa"
MIB: Final = 1 << 20
_CLUSTER: Final = 1 << 16
_COPIED: Final = 1 << 63

DOMAIN: Final = """<domain type='qemu'><name>{name}</name><memory unit='MiB'>{memory}</memory><vcpu>1</vcpu>
<os><type arch='x86_64' machine='pc'>hvm</type>{boot}</os>
<devices><emulator>/usr/bin/qemu-system-x86_64</emulator>{devices}
<video><model type='none'/></video><memballoon model='none'/></devices></domain>"""
CHANNEL: Final = "<channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0'/></channel>"
# Opens its end of the channel and closes it again, for as long as it runs.
_AGENT: Final = """#!/bin/busybox sh
/bin/busybox --install -s /bin
export PATH=/bin
mount -t proc proc /proc
mount -t devtmpfs dev /dev
while read -r module; do insmod "/lib/$module.ko"; done </lib/order
insmod /lib/virtio_console.ko
until [ -e /dev/vport0p1 ] || [ -e /dev/vport1p1 ] || [ -e /dev/vport2p1 ]; do sleep 0.1; done
for port in /dev/vport*p1; do
    while :; do sleep 4 3<>"$port"; sleep 2; done
done
"""


def raw() -> bytes:
    """A disk of one MiB that the guest reads."""
    return SECTOR.ljust(MIB, b"\0")


def qcow2() -> bytes:
    """The same in qcow2 (QEMU's docs/interop/qcow2.txt): header, refcounts, L1, L2, one cluster of data."""
    header = struct.pack(">4sIQIIQIIQQIIQ", b"QFI\xfb", 2, 0, 0, 16, MIB, 0, 1, 3 << 16, 1 << 16, 1, 0, 0)
    clusters = (
        header,
        struct.pack(">Q", 2 << 16),
        struct.pack(">6H", *[1] * 6),
        struct.pack(">Q", (4 << 16) | _COPIED),
        struct.pack(">Q", (5 << 16) | _COPIED),
        SECTOR,
    )
    return b"".join(each.ljust(_CLUSTER, b"\0") for each in clusters)


def disk(source: str, *, kind: str = "raw") -> str:
    """A disk with this <source>."""
    place = "block" if " dev=" in source else "file"
    return (
        f"<disk type='{place}' device='disk'><driver name='qemu' type='{kind}'/>{source}"
        "<target dev='vda' bus='virtio'/></disk>"
    )


def define(node: Node, name: str, devices: str, *, boot: str = "", memory: int = 8) -> str:
    """Define a guest; its UUID."""
    node.run(
        "virsh",
        "-q",
        "define",
        "/dev/stdin",
        input=DOMAIN.format(name=escape(name), devices=devices, boot=boot, memory=memory),
    )
    return node.out("virsh", "domuuid", name)


def put(node: Node, path: str, content: bytes, folder: Path) -> None:
    """Write a file inside the node."""
    file = folder / "content"
    file.write_bytes(content)
    node.put(file, path)


def define_with_agent(node: Node, name: str, folder: Path) -> str:
    """A Linux whose agent connects for 4 s, again and again; its UUID."""
    [deb] = (image.base() / "deb").glob("linux-image-*.deb")
    run(["dpkg-deb", "-x", str(deb), str(folder / "kernel")])
    [module] = (folder / "kernel").glob("lib/modules/*/kernel/drivers/char/virtio_console.ko")
    archive = Archive()
    archive.add("agent", 0o100755, _AGENT.encode())
    archive.add("lib/virtio_console.ko", 0o100644, module.read_bytes())
    put(node, "/srv/agent.cpio", archive.finish(), folder)
    # Linux takes an initramfs of several archives, each on a border of four bytes
    # (driver-api/early-userspace/buffer-format.rst).
    node.run("cp", "/srv/guest/initrd.gz", "/srv/agent.initrd")
    node.run("truncate", "-s", "%4", "/srv/agent.initrd")
    node.run("sh", "-c", "cat /srv/agent.cpio >>/srv/agent.initrd")
    boot = "<kernel>/srv/guest/vmlinuz</kernel><initrd>/srv/agent.initrd</initrd>"
    boot += "<cmdline>quiet panic=1 rdinit=/agent</cmdline>"
    return define(node, name, CHANNEL, boot=boot, memory=128)
