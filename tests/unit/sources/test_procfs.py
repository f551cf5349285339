"""Fake /proc folders: who holds a tap, and where vswitchd listens."""

import os
from pathlib import Path

import pytest

from hostagent.model.host import Trouble
from hostagent.sources.deadline import ReadError
from hostagent.sources.installed import libvirt_installed, ovs_installed
from hostagent.sources.packet_sockets import parse_packet, read_packet_sockets, socket_inodes
from hostagent.sources.procfs import (
    parse_environment,
    parse_fdinfo,
    read_ovs_ctl_options,
    read_tap_holders,
)

FIXTURES = Path(__file__).parents[2] / "fixtures" / "sources"


def process(proc: Path, pid: int, links: dict[int, str], info: dict[int, str] | None = None) -> Path:
    folder = proc / str(pid)
    for name in ("fd", "fdinfo", "net"):
        (folder / name).mkdir(parents=True)
    for fd, target in links.items():
        (folder / "fd" / str(fd)).symlink_to(target)
    for fd, text in (info or {}).items():
        (folder / "fdinfo" / str(fd)).write_text(text)
    return folder


def test_holders(tmp_path: Path) -> None:
    tap = (FIXTURES / "fdinfo-tap.txt").read_text()
    process(tmp_path, 10, {0: "/dev/null", 30: "/dev/net/tun", 31: "/dev/net/tun"}, {30: tap, 31: tap})
    process(tmp_path, 9, {5: "/dev/net/tun"}, {5: tap.replace("vnet0", "vnet1")})
    process(tmp_path, 11, {5: "/dev/net/tun"}, {5: tap.replace("vnet0", "")})
    process(tmp_path, 12, {5: "/dev/net/tun", 6: "socket:[7]"})  # closed before fdinfo was read
    (tmp_path / "13").mkdir()  # ended
    (tmp_path / "uptime").touch()
    assert read_tap_holders(str(tmp_path)) == {"vnet0": (10,), "vnet1": (9,)}


def test_the_same_tap_in_two_processes(tmp_path: Path) -> None:
    for pid in (21, 20):
        process(tmp_path, pid, {5: "/dev/net/tun"}, {5: "iff:\todd tap\n"})
    assert read_tap_holders(str(tmp_path)) == {"odd tap": (20, 21)}


def test_fdinfo_without_a_device() -> None:
    assert parse_fdinfo("pos:\t0\nflags:\t02\n") is None
    assert parse_fdinfo("iff:\t\n") is None


def test_one_unreadable_process_denies_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    process(tmp_path, 10, {5: "/dev/net/tun"}, {5: "iff:\tvnet0\n"})
    process(tmp_path, 11, {})
    really = os.open

    def refuse(path: str, flags: int) -> int:
        if path.endswith("/11/fd"):
            raise PermissionError(13, "Permission denied")
        return really(path, flags)

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(ReadError, match="process 11: permission denied") as raised:
        read_tap_holders(str(tmp_path))
    assert raised.value.trouble is Trouble.DENIED


def test_no_proc(tmp_path: Path) -> None:
    with pytest.raises(ReadError) as raised:
        read_tap_holders(str(tmp_path / "proc"))
    assert raised.value.trouble is Trouble.INVALID


def test_packet_sockets_of_vswitchd_alone(tmp_path: Path) -> None:
    links = {3: "socket:[99556]", 4: "socket:[99930]", 5: "socket:[99940]", 6: "/dev/null", 7: "socket:[1]"}
    folder = process(tmp_path, 150, links)
    (folder / "net/packet").write_text((FIXTURES / "net-packet.txt").read_text())
    assert read_packet_sockets(150, str(tmp_path)) == {5}


def test_packet_table() -> None:
    assert parse_packet((FIXTURES / "net-packet.txt").read_text()) == {
        99556: 5,
        99920: 6,
        99930: -1,
        99940: 0,
        50001: 9,
    }
    assert socket_inodes(["socket:[12]", "anon_inode:[eventpoll]", "/tmp/socket:[3]"]) == {12}


@pytest.mark.parametrize(
    "text", ["", "sk RefCnt\n1 2\n", "sk Iface Inode\nffff 5\n", "sk Iface Inode\n1 x 3\n"]
)
def test_an_unknown_packet_table(tmp_path: Path, text: str) -> None:
    folder = process(tmp_path, 150, {})
    (folder / "net/packet").write_text(text)
    with pytest.raises(ReadError) as raised:
        read_packet_sockets(150, str(tmp_path))
    assert raised.value.trouble is Trouble.INVALID


def test_vswitchd_has_ended(tmp_path: Path) -> None:
    with pytest.raises(ReadError) as raised:
        read_packet_sockets(150, str(tmp_path))
    assert raised.value.trouble is Trouble.UNREACHABLE


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", ""),
        ("# OVS_CTL_OPTS=--a\n", ""),
        ("OVS_CTL_OPTS=\n", ""),
        ("OVS_CTL_OPTS='--a --b=\"c d\"' # why\n", '--a --b="c d"'),
        ('export OVS_CTL_OPTS=--a\nOVS_CTL_OPTS="--b"\n', "--b"),
        ("MY_OVS_CTL_OPTS=--a\n", ""),
    ],
)
def test_environment(text: str, value: str) -> None:
    assert parse_environment(text, "OVS_CTL_OPTS") == value


def test_ovs_ctl_options(tmp_path: Path) -> None:
    with pytest.raises(ReadError) as raised:
        read_ovs_ctl_options(str(tmp_path))
    assert raised.value.trouble is Trouble.ABSENT
    (tmp_path / "etc/sysconfig").mkdir(parents=True)
    (tmp_path / "etc/sysconfig/openvswitch").write_text('OPTIONS="--delete-transient-ports"\n')
    assert read_ovs_ctl_options(str(tmp_path)) == "--delete-transient-ports"
    (tmp_path / "etc/default").mkdir()
    debian = tmp_path / "etc/default/openvswitch-switch"
    debian.write_text((FIXTURES / "openvswitch-switch").read_text())
    assert read_ovs_ctl_options(str(tmp_path)) == '--delete-transient-ports --ovs-vswitchd-wrapper="a b"'
    debian.write_text("OVS_CTL_OPTS='--a\n")
    with pytest.raises(ReadError, match="No closing quotation") as raised:
        read_ovs_ctl_options(str(tmp_path))
    assert raised.value.trouble is Trouble.INVALID


def test_installed(tmp_path: Path) -> None:
    root = str(tmp_path)
    assert not libvirt_installed(root)
    assert not ovs_installed(root)
    (tmp_path / "usr/sbin").mkdir(parents=True)
    (tmp_path / "usr/sbin/ovs-vswitchd").symlink_to("/etc/alternatives/ovs-vswitchd")
    (tmp_path / "run/libvirt").mkdir(parents=True)
    (tmp_path / "run/libvirt/virtqemud-sock-ro").touch()  # a container's, as kolla has it
    assert libvirt_installed(root)
    assert ovs_installed(root)
