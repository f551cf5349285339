"""Guests that read their disk when they boot, and guests that were there before and feel it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.lab import Node

CONSOLES = "/var/log/libvirt/qemu"
PLACE = "/srv/slow"
MENU_MILLISECONDS = 3000
_DOMAIN = """<domain type='qemu'><name>{name}</name><memory unit='MiB'>96</memory><vcpu>1</vcpu>
<os><type arch='x86_64' machine='pc'>hvm</type>
<kernel>/srv/guest/vmlinuz</kernel><initrd>/srv/guest/initrd.gz</initrd>
<cmdline>console=ttyS0 quiet panic=1 lab.name={name} {words}</cmdline></os>
<features><acpi/></features><on_poweroff>destroy</on_poweroff><on_reboot>restart</on_reboot>
<devices><emulator>/usr/bin/qemu-system-x86_64</emulator><controller type='usb' model='none'/>
<serial type='file'><source path='{consoles}/{name}-console.log'/></serial>
<video><model type='none'/></video><memballoon model='none'/>
<disk type='file' device='disk'><driver name='qemu' type='raw' cache='none' io='threads'/>
<source file='{place}/{name}.img'/><target dev='vda' bus='virtio'/></disk></devices></domain>"""

_BIOS = """<domain type='qemu'><name>{name}</name>
<memory unit='MiB'>16</memory><vcpu>1</vcpu><metadata>{metadata}</metadata>
<os><type arch='x86_64' machine='pc'>hvm</type><bootmenu enable='yes' timeout='{menu}'/></os>
<devices><emulator>/usr/bin/qemu-system-x86_64</emulator><controller type='usb' model='none'/>
<video><model type='none'/></video><memballoon model='none'/>
<disk type='file' device='disk'><driver name='qemu' type='{kind}'/>
<source file='{place}/{name}.img'/><target dev='vda' bus='virtio'/></disk>{more}</devices></domain>"""


def define(node: Node, *names: str, words: str, place: str = PLACE) -> None:
    """Define guests with ``words`` on the kernel's command line; their images are to be made beside it."""
    _define(
        node,
        {name: _DOMAIN.format(name=name, words=words, place=place, consoles=CONSOLES) for name in names},
    )


def define_bios(
    node: Node, *names: str, place: str = PLACE, kind: str = "raw", metadata: str = "", more: str = ""
) -> None:
    """Define guests whose firmware finds nothing to boot on its disk, then idles: 0.4 s and 35 MB each.

    It waits at its menu before it reads: on a busy machine the agent sees a start as late as that, and who
    has read is not held.
    """
    if kind == "raw":
        paths = " ".join(f"{place}/{name}.img" for name in names)
        node.run("sh", "-ec", f"mkdir -p {place}; truncate -s 1M {paths}")
    found = {
        name: _BIOS.format(
            name=name, metadata=metadata, place=place, kind=kind, more=more, menu=MENU_MILLISECONDS
        )
        for name in names
    }
    _define(node, found)


def _define(node: Node, xml: dict[str, str]) -> None:
    lines = [
        f"cat >/root/{name}.xml <<'XML'\n{text}\nXML\nvirsh -q define /root/{name}.xml"
        for name, text in xml.items()
    ]
    node.run("sh", "-e", input="\n".join(lines))


def images(node: Node, *names: str, mib: int, place: str = PLACE) -> None:
    """An image for each guest, really written: of a hole nothing would be read."""
    paths = " ".join(f"{place}/{name}.img" for name in names)
    write = f"dd if=/dev/zero of=$each bs=1M count={mib} oflag=direct status=none"
    node.run("sh", "-ec", f"mkdir -p {place}; for each in {paths}; do {write}; done", timeout=120)


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
