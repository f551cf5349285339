"""Files of a boot: the purge's mark, taps in sysfs, processes in procfs, systemd's words."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hostagent.act.purge import leave_mark
from hostagent.model.units import PurgeMark, PurgeState
from hostagent.sources import boot, systemd
from hostagent.sources.deadline import ReadError

if TYPE_CHECKING:
    from pathlib import Path

MARK = PurgeMark(boot_id="b", state=PurgeState.DONE, reason="r", at=1.5, run="x", ran=frozenset({"u", "v"}))
SHOW = """Id=libvirtd.service
Names=libvirtd.service libvirt-bin.service
After=ovs-vswitchd.service basic.target
LoadState=loaded
ActiveState=inactive
Result=success
UnitFileState=enabled
InactiveExitTimestampMonotonic=17

Id=virtqemud.service
Names=virtqemud.service
After=
LoadState=not-found
ActiveState=inactive
Result=success
UnitFileState=
InactiveExitTimestampMonotonic=0
"""


def test_the_mark_comes_back_in_its_boot_alone(tmp_path: Path) -> None:
    assert boot.read_mark(str(tmp_path), "b") is None
    leave_mark(tmp_path / boot.MARK, MARK)
    assert boot.read_mark(str(tmp_path), "b") == MARK
    assert boot.read_mark(str(tmp_path), "c") is None
    assert [path.name for path in tmp_path.iterdir()] == [boot.MARK]


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"state": "odd", "ran": []}', '{"ran": 3, "state": "done"}']
)
def test_a_mark_that_is_none(tmp_path: Path, text: str) -> None:
    (tmp_path / boot.MARK).write_text(text)
    with pytest.raises(ReadError):
        boot.read_mark(str(tmp_path), "b")


def test_taps(tmp_path: Path) -> None:
    for name, flags in (("tap1", "0x1002"), ("tun1", "0x1001"), ("eth0", None)):
        folder = tmp_path / "class/net" / name
        folder.mkdir(parents=True)
        (folder / "ifindex").write_text("3\n")
        if flags:
            (folder / "tun_flags").write_text(f"{flags}\n")
    (tmp_path / "class/net/bonding_masters").write_text("\n")
    links = boot.read_taps(str(tmp_path)).by_name
    assert {name for name, link in links.items() if link.tap} == {"tap1"}
    assert links["eth0"].ifindex == 3


def test_hypervisors(tmp_path: Path) -> None:
    names = ["qemu-system-x86", "qemu-ga", "libvirtd", "virtqemud", "kvm-nx-lpage-re", "qemu:alice", "bash"]
    for pid, name in enumerate(names, 100):
        (tmp_path / str(pid)).mkdir()
        (tmp_path / str(pid) / "comm").write_text(f"{name}\n")
    (tmp_path / "99").mkdir()  # ended meanwhile
    (tmp_path / "sys").mkdir()
    found = boot.read_hypervisors(str(tmp_path))
    assert [each.split()[0] for each in found] == ["qemu-system-x86", "libvirtd", "virtqemud", "qemu:alice"]


def test_guests_that_libvirt_guests_stopped(tmp_path: Path) -> None:
    assert boot.read_stopped_guests(str(tmp_path / "none")) == frozenset()
    (tmp_path / "list").write_text("default u1 u2\nqemu:///x u3\n\n")
    assert boot.read_stopped_guests(str(tmp_path / "list")) == {"u1", "u2", "u3"}


def test_units() -> None:
    by_name, aliases = systemd.parse_show(SHOW)
    unit = by_name["libvirtd.service"]
    assert aliases == {"libvirt-bin.service": "libvirtd.service"}
    assert (unit.there, unit.up, unit.wanted, unit.ran) == (True, False, True, True)
    assert unit.after == {"ovs-vswitchd.service", "basic.target"}
    assert not by_name["virtqemud.service"].there


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("ON_SHUTDOWN=ignore\n", "ignore"),
        ('#ON_SHUTDOWN=x\nON_SHUTDOWN="shutdown"\n', "shutdown"),
        ("", "suspend"),
    ],
)
def test_what_libvirt_guests_does(tmp_path: Path, text: str, word: str) -> None:
    (tmp_path / "etc/default").mkdir(parents=True)
    (tmp_path / "etc/default/libvirt-guests").write_text(text)
    assert systemd.read_on_shutdown(str(tmp_path)) == word


def test_no_systemd(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match="systemd does not run"):
        systemd.read_units("/nonexistent", 0.0, root=str(tmp_path))
