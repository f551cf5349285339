"""Where a path is, by mountinfo and links alone; nothing is asked of what may hang."""

import pytest

from hostagent.sources.boots.mounts import Mounts, follow, parse_mounts

INFO = r"""
20 1 8:2 / / rw,relatime shared:1 - ext4 /dev/sda2 rw
21 20 0:5 / /dev rw - devtmpfs udev rw
22 20 0:44 / /mnt/far rw - nfs4 server:/export rw,addr=10.0.0.9
23 20 8:17 / /srv/my\040disk rw - xfs /dev/sdb1 rw
24 23 8:33 / /srv/my\040disk/deep rw - xfs /dev/sdc1 rw
25 20 0:50 / /over rw - tmpfs tmpfs rw
26 25 8:49 / /over rw - xfs /dev/sdd1 rw
27 20 8:65 / /hidden/below rw - xfs /dev/sde1 rw
28 20 8:81 / /hidden rw - xfs /dev/sdf1 rw
29 20 0:51 / /auto rw - autofs systemd-1 rw
30 20 0:52 / /data rw - btrfs /dev/sdg1 rw,subvol=/data
broken
31 x 0:52 / /x rw - a b
32 20 052 / /y rw - a b
"""
LINKS = {
    "/images": "/mnt/far/images",
    "/near": "srv/my disk/deep",
    "/srv/my disk/up": "../../data/./x",
    "/loop": "/loop",
    "/mnt/far/link": "/data",
    "/to-root": "/",
}
ASKED: list[str] = []


def read_link(path: str) -> str | None:
    assert not path.startswith("/mnt/far"), "the server may be gone"
    assert not path.startswith("/auto"), "it would be mounted"
    ASKED.append(path)
    return LINKS.get(path)


@pytest.mark.parametrize(
    ("path", "place", "number"),
    [
        ("/", "/", 20),
        ("/var/a.img", "/var/a.img", 20),
        ("//var/./x/../a.img", "/var/a.img", 20),
        ("/../../a", "/a", 20),
        ("/srv/my disk/a.img", "/srv/my disk/a.img", 23),
        ("/srv/my disk/deep/a", "/srv/my disk/deep/a", 24),
        ("/srv/my disk/deep/../a", "/srv/my disk/a", 23),
        ("/srv/my disk2/a", "/srv/my disk2/a", 20),
        ("/near/a", "/srv/my disk/deep/a", 24),
        ("/srv/my disk/up/a", "/data/x/a", 30),
        ("/over/a", "/over/a", 26),
        ("/hidden/below/a", "/hidden/below/a", 28),
        ("/mnt/far/link/a", "/mnt/far/link/a", 22),
        ("/images/a", "/mnt/far/images/a", 22),
        ("/mnt/far/../../var", "/var", 20),
        ("/auto/a/b", "/auto/a/b", 29),
        ("/to-root/data/a", "/data/a", 30),
    ],
)
def test_followed(path: str, place: str, number: int) -> None:
    found = follow(path, Mounts(parse_mounts(INFO)), read_link)
    assert found is not None
    assert (found[0], found[1].number) == (place, number)


@pytest.mark.parametrize("path", ["", "a", "./a", "/loop/a"])
def test_not_to_be_said(path: str) -> None:
    assert follow(path, Mounts(parse_mounts(INFO)), read_link) is None


def test_links_are_asked_for_once_a_name() -> None:
    ASKED.clear()
    follow("/near/a", Mounts(parse_mounts(INFO)), read_link)
    assert ASKED == ["/near", "/srv", "/srv/my disk/deep/a"]


@pytest.mark.parametrize("text", ["", "\n", "20 1 8:2 / /srv rw - ext4 /dev/sda2 rw\n"])
def test_no_root(text: str) -> None:
    assert follow("/a", Mounts(parse_mounts(text)), read_link) is None


def test_a_mount_that_is_its_own_parent_ends() -> None:
    mounts = Mounts(parse_mounts("1 1 0:2 / / rw - rootfs rootfs rw\n2 1 8:1 / / rw - ext4 /dev/sda1 rw\n"))
    assert mounts.root is not None
    assert mounts.root.number == 2
