"""Which pool a disk is in: a sysfs and a mount namespace of files, and devices of this machine's kinds."""

from pathlib import Path

import pytest

from hostagent.model.boot import DiskClass
from hostagent.model.boot_guests import Pool
from hostagent.sources.boots.boot_xml import Disk
from hostagent.sources.boots.devices import device_pool
from hostagent.sources.boots.pools import PoolFinder

MOUNTS = """
20 1 8:2 / / rw - ext4 /dev/sda2 rw
21 20 0:44 / /mnt/nfs rw - nfs4 server:/export rw
22 20 0:45 / /mnt/nfs3 rw - nfs server:/export rw
23 20 259:1 / /nvme rw - xfs /dev/nvme0n1p1 rw
24 20 254:3 / /lv rw - xfs /dev/mapper/vg-lv rw
25 20 0:46 / /over rw - overlay overlay rw
26 20 0:47 / /tank/a rw - zfs tank/vms/a rw
27 20 7:0 / /gone rw - ext4 /dev/loop0 rw
28 20 0:48 / /cifs rw - cifs //server/share rw
29 20 0:49 / /btrfs rw - btrfs /dev/nowhere rw
"""


@pytest.fixture
def finder(tmp_path: Path) -> PoolFinder:
    root = tmp_path / "1" / "root"
    (root / "home").mkdir(parents=True)
    (root / "home/images").symlink_to("/mnt/nfs/images")
    (root / "dev").mkdir()
    (root / "dev/file").touch()
    (tmp_path / "1" / "mountinfo").write_text(MOUNTS)
    device(tmp_path, "8:0", "pci/sda", rotational="1")
    device(tmp_path, "8:2", "pci/sda/sda2", partition=True)
    device(tmp_path, "259:0", "pci/nvme0n1")
    device(tmp_path, "259:1", "pci/nvme0n1/nvme0n1p1", partition=True)
    device(tmp_path, "254:3", "virtual/dm-3", rotational="0", slaves=["259:1"])
    return PoolFinder(str(root), str(tmp_path / "sys"))


def device(
    tmp_path: Path,
    number: str,
    name: str,
    *,
    rotational: str = "0",
    partition: bool = False,
    slaves: list[str] | None = None,
) -> None:
    folder = tmp_path / "sys/devices" / name
    folder.mkdir(parents=True)
    by_number = tmp_path / "sys/dev/block"
    by_number.mkdir(parents=True, exist_ok=True)
    (by_number / number).symlink_to(f"../../devices/{name}")
    if partition:
        (folder / "partition").touch()
    else:
        (folder / "queue").mkdir()
        (folder / "queue/rotational").write_text(f"{rotational}\n")
    for each in slaves or ():
        (folder / "slaves").mkdir(exist_ok=True)
        (folder / "slaves" / each.replace(":", "-")).symlink_to((by_number / each).resolve())


SDA = Pool(name="sda", kind=DiskClass.SPINNING, device="sda")


@pytest.mark.parametrize(
    ("disk", "pool"),
    [
        (Disk(), Pool()),
        (Disk(file="/var/lib/libvirt/images/a.img"), SDA),
        (Disk(file="/nvme/a"), Pool(name="nvme0n1", kind=DiskClass.NVME, device="nvme0n1")),
        (Disk(file="/lv/a"), Pool(name="dm-3", kind=DiskClass.NVME, device="dm-3")),
        (Disk(file="/mnt/nfs/a"), Pool(name="nfs:server:/export")),
        (Disk(file="/mnt/nfs3/a"), Pool(name="nfs:server:/export")),
        (Disk(file="/home/images/a"), Pool(name="nfs:server:/export")),
        (Disk(file="/cifs/a"), Pool(name="cifs://server/share")),
        (Disk(file="/over/a"), Pool(name="overlay:overlay")),
        (Disk(file="/tank/a/x"), Pool(name="zfs:tank")),
        (Disk(file="/btrfs/x"), Pool(name="btrfs:/dev/nowhere")),
        (Disk(file="/gone/a"), Pool()),
        (Disk(file="relative"), Pool()),
        (Disk(file="/a\0b"), SDA),
        (Disk(far="rbd:vms"), Pool(name="rbd:vms")),
        (Disk(block="/dev/none"), Pool()),
        (Disk(block="/dev/file"), Pool()),
        (Disk(block="/mnt/nfs/dev"), Pool()),
    ],
)
def test_found(finder: PoolFinder, disk: Disk, pool: Pool) -> None:
    assert finder.pool(disk) == pool


def test_a_mount_made_meanwhile(finder: PoolFinder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr("hostagent.sources.boots.pools.time.monotonic", lambda: now)
    assert finder.pool(Disk(file="/new/a")) == SDA
    with (tmp_path / "1/mountinfo").open("a") as file:
        file.write("40 20 259:1 / /new rw - xfs /dev/nvme0n1p1 rw\n")
    now += 2
    assert finder.pool(Disk(file="/new/a")) == SDA, "kept for a while"
    assert finder.pool(Disk(file="/new/b")).name == "nvme0n1", "never seen: looked for"
    now += 60
    assert finder.pool(Disk(file="/new/a")).name == "nvme0n1"


def test_nothing_can_be_read(tmp_path: Path) -> None:
    finder = PoolFinder(str(tmp_path / "none/root"), str(tmp_path))
    assert finder.pool(Disk(file="/a")) == finder.pool(Disk(block="/dev/sda")) == Pool()


def test_disks_of_disks(tmp_path: Path) -> None:
    device(tmp_path, "8:0", "sda", rotational="1")
    device(tmp_path, "8:16", "sdb")
    device(tmp_path, "9:0", "virtual/md0", slaves=["8:0", "8:16"])
    device(tmp_path, "254:0", "virtual/dm-0", slaves=["9:0"])
    device(tmp_path, "104:0", "cciss!c0d0", rotational="?")
    device(tmp_path, "8:32", "sdc")
    (tmp_path / "sys/devices/sdc/queue/rotational").unlink()
    sys_dir = str(tmp_path / "sys")
    assert device_pool(254, 0, sys_dir) == Pool(name="dm-0", kind=DiskClass.SPINNING, device="dm-0")
    assert device_pool(8, 16, sys_dir) == Pool(name="sdb", kind=DiskClass.SSD, device="sdb")
    assert device_pool(104, 0, sys_dir) == Pool(name="cciss/c0d0", kind=DiskClass.SSD, device="cciss/c0d0")
    assert device_pool(8, 32, sys_dir) == Pool(name="sdc", kind=DiskClass.OTHER, device="sdc")
    assert device_pool(1, 1, sys_dir) is None
