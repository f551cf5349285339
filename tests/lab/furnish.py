"""The second layer: configuration, guests' files and lab-guest, over the base layer."""

import os
import shutil
import tempfile
from pathlib import Path
from typing import Final

from tests.lab import cache, initramfs
from tests.lab.paths import digest, tree_digest

_HERE: Final = Path(__file__).parent

# With a smaller initrd and 64 MiB of memory or less, QEMU 7.2 puts it where this iPXE moves its own code to.
_SCRIPT_BYTES: Final = 2 << 20

# Irrelevant in a node, or slow, or not the node's business (the kernel's debug file systems).
_MASKED: Final = """
    apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer e2scrub_reap.service
    fstrim.timer logrotate.timer console-getty.service getty@tty1.service uuidd.socket systemd-pstore.service
    modprobe@.service systemd-modules-load.service sys-kernel-debug.mount sys-kernel-tracing.mount
    sys-kernel-config.mount sys-fs-fuse-connections.mount dev-hugepages.mount dev-mqueue.mount
    systemd-sysctl.service systemd-binfmt.service proc-sys-fs-binfmt_misc.automount systemd-firstboot.service
""".split()


def furnishings(base: Path) -> Path:
    """Return the layer that makes the base image a node of the lab."""
    sources = [_HERE / name for name in ("rootfs", "guest", "furnish.py", "initramfs.py", "lab_guest.py")]

    def build(folder: Path, _lock: int) -> None:
        _build(base, folder / "root", folder.parent)

    return cache.layer("node", digest(base.name, tree_digest(*sources)), build) / "root"


def _build(base: Path, folder: Path, cache_folder: Path) -> None:
    shutil.copytree(_HERE / "rootfs", folder)
    folder.chmod(0o755)
    units = folder / "etc/systemd/system"
    units.mkdir(parents=True)
    for unit in _MASKED:
        (units / unit).symlink_to("/dev/null")
    sockets = units / "sockets.target.wants"
    sockets.mkdir()
    (sockets / "libvirtd-tcp.socket").symlink_to("/lib/systemd/system/libvirtd-tcp.socket")
    # A journal that survives a reboot: tests look at what the stop looked like.
    (folder / "var/log/journal").mkdir(parents=True)
    tool = folder / "usr/local/bin/lab-guest"
    tool.parent.mkdir(parents=True)
    shutil.copyfile(_HERE / "lab_guest.py", tool)
    guests = folder / "srv/guest"
    guests.mkdir(parents=True)
    with tempfile.TemporaryDirectory(dir=cache_folder, prefix="tmp-guests-") as scratch:
        initramfs.build(base / "deb", Path(scratch), guests)
    script = guests / "beacon.ipxe"
    shutil.copyfile(_HERE / "guest/beacon.ipxe", script)
    os.truncate(script, _SCRIPT_BYTES)
    # Layers are merged by name and the upper one's modes win: they must be Debian's.
    for path in folder.rglob("*"):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path == tool else 0o644)
    (folder / "etc/libvirt/qemu.conf").chmod(0o600)
