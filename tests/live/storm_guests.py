"""Guests that read their disk when they boot, and guests that were there before and feel it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.lab import Node

CONSOLES = "/var/log/libvirt/qemu"
PLACE = "/srv/slow"
_DOMAIN = """<domain type='qemu'><name>{name}</name><memory unit='MiB'>{memory}</memory><vcpu>1</vcpu>
{metadata}<os><type arch='x86_64' machine='pc'>hvm</type><kernel>/srv/guest/vmlinuz</kernel>
<initrd>/srv/guest/initrd.gz</initrd><cmdline>console=ttyS0 quiet panic=1 lab.name={name} {words}</cmdline></os>
<features><acpi/></features><on_poweroff>destroy</on_poweroff><on_reboot>restart</on_reboot>
<devices><emulator>/usr/bin/qemu-system-x86_64</emulator><controller type='usb' model='none'/>
<serial type='file'><source path='{consoles}/{name}-console.log'/></serial>
<video><model type='none'/></video><memballoon model='none'/>
<disk type='file' device='disk'><driver name='qemu' type='raw' cache='none' io='{io}'/>
<source file='{place}/{name}.img'/><target dev='vda' bus='virtio'/></disk>{more}</devices></domain>"""


def define(
    node: Node,
    *names: str,
    words: str,
    place: str = PLACE,
    io: str = "threads",
    metadata: str = "",
    more: str = "",
    memory: int = 96,
) -> None:
    """Define guests with the kernel's command line in ``words``; their images must be made beside it."""
    if metadata:
        metadata = f"<metadata>{metadata}</metadata>"
    for name in names:
        xml = _DOMAIN.format(
            name=name,
            words=words,
            place=place,
            io=io,
            metadata=metadata,
            more=more,
            memory=memory,
            consoles=CONSOLES,
        )
        node.write(f"/root/{name}.xml", xml)
    paths = " ".join(f"/root/{name}.xml" for name in names)
    node.run("sh", "-ec", f"for each in {paths}; do virsh -q define $each; done")


def images(node: Node, *names: str, mib: int, place: str = PLACE) -> None:
    """An image for each guest, really written: of a hole nothing would be read."""
    paths = " ".join(f"{place}/{name}.img" for name in names)
    write = f"dd if=/dev/zero of=$each bs=1M count={mib} oflag=direct status=none"
    node.run("sh", "-ec", f"mkdir -p {place}; for each in {paths}; do {write}; done", timeout=120)


def console(node: Node, name: str) -> str:
    """What a guest has said since its start; "" if it never ran."""
    return node.run("cat", f"{CONSOLES}/{name}-console.log", check=False).stdout


def ready(node: Node, *names: str) -> set[str]:
    """Which of these guests have said that they are ready, by their consoles alone."""
    paths = [f"{CONSOLES}/{name}-console.log" for name in names]
    found = node.run("grep", "-ls", "is ready", *paths, check=False).stdout.split()
    return {path.rpartition("/")[2].removesuffix("-console.log") for path in found}


def running(node: Node) -> set[str]:
    """Names of guests whose vCPUs run."""
    return set(node.out("virsh", "-q", "list", "--state-running", "--name").split())


def paused(node: Node) -> set[str]:
    """Names of guests that are suspended."""
    return set(node.out("virsh", "-q", "list", "--state-paused", "--name").split())


def destroy(node: Node, *names: str) -> None:
    """Destroy guests, those that run, and forget what they said."""
    each = "virsh -q destroy {0} 2>/dev/null; rm -f {1}/{0}-console.log"
    node.run("sh", "-c", "; ".join(each.format(name, CONSOLES) for name in names))
