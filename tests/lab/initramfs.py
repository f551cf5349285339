"""The Linux guest: a Debian cloud kernel and an initramfs of busybox and the virtio modules."""

import gzip
import shutil
from pathlib import Path
from typing import Final

from tests.lab.programs import LabError, run

# In loading order; the guest's init loads them by name in this order.
MODULES: Final = """
    virtio_ring virtio virtio_pci_legacy_dev virtio_pci_modern_dev virtio_pci
    failover net_failover virtio_net virtio_blk virtio_balloon button evdev
""".split()

_SOURCES: Final = Path(__file__).parent / "guest"


def build(debs: Path, scratch: Path, target: Path) -> None:
    """Put vmlinuz, initrd.gz and ipxe.lkrn into `target`, out of the packages in `debs`."""
    for deb in sorted(debs.glob("*.deb")):
        run(["dpkg-deb", "-x", str(deb), str(scratch)])
    shutil.copyfile(_only(scratch, "boot/vmlinuz-*"), target / "vmlinuz")
    shutil.copyfile(_only(scratch, "boot/ipxe.lkrn"), target / "ipxe.lkrn")
    archive = Archive()
    for folder in ("bin", "dev", "etc", "lib", "proc", "sys", "tmp"):
        archive.add(folder, 0o040755)
    archive.add("bin/busybox", 0o100755, _only(scratch, "bin/busybox").read_bytes())
    archive.add("bin/sh", 0o120777, b"busybox")
    archive.add("init", 0o100755, (_SOURCES / "init").read_bytes())
    archive.add("etc/dhcp", 0o100755, (_SOURCES / "dhcp").read_bytes())
    run(["gcc", "-O2", "-Wall", "-static", "-s", "-o", str(scratch / "disk"), str(_SOURCES / "disk.c")])
    archive.add("bin/disk", 0o100755, (scratch / "disk").read_bytes())
    for name in MODULES:
        module = _only(scratch, f"lib/modules/*/kernel/**/{name}.ko")
        archive.add(f"lib/{name}.ko", 0o100644, module.read_bytes())
    archive.add("lib/order", 0o100644, "\n".join(MODULES).encode() + b"\n")
    (target / "initrd.gz").write_bytes(gzip.compress(archive.finish(), compresslevel=6, mtime=0))


def _only(root: Path, pattern: str) -> Path:
    found = list(root.glob(pattern))
    if len(found) != 1:
        raise LabError(f"the guests' packages hold {len(found)} files {pattern}, not one")
    return found[0]


class Archive:
    """A cpio archive in newc format: the kernel's driver-api/early-userspace/buffer-format.rst."""

    def __init__(self) -> None:
        self._data = bytearray()
        self._count = 0

    def add(self, name: str, mode: int, content: bytes = b"") -> None:
        self._count += 1
        path = name.encode() + b"\0"
        numbers = [self._count, mode, 0, 0, 1, 0, len(content), 0, 0, 0, 0, len(path), 0]
        self._data += b"070701" + b"".join(b"%08X" % number for number in numbers) + path
        self._pad()
        self._data += content
        self._pad()

    def finish(self) -> bytes:
        self.add("TRAILER!!!", 0)
        return bytes(self._data)

    def _pad(self) -> None:
        self._data += bytes(-len(self._data) % 4)
