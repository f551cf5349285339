"""What is installed on this host: tells "not there" (skip) from "does not answer" (alarm)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_PROGRAM_DIRS = ("/usr/sbin", "/usr/bin", "/usr/local/sbin", "/usr/local/bin", "/usr/lib/openvswitch-switch")
_UNIT_DIRS = ("/etc/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system", "/run/systemd/system")

# On container-based OpenStack (kolla) only the sockets and the containers' units are on the host.
_LIBVIRT_PROGRAMS = ("libvirtd", "virtqemud")
_LIBVIRT_UNITS = (
    "libvirtd.service",
    "virtqemud.service",
    "kolla-nova_libvirt-container.service",
)
_LIBVIRT_PATHS = ("/run/libvirt/libvirt-sock-ro", "/run/libvirt/virtqemud-sock-ro")
_OVS_PROGRAMS = ("ovsdb-server", "ovs-vswitchd")
_OVS_UNITS = ("ovsdb-server.service", "ovs-vswitchd.service", "kolla-openvswitch_db-container.service")
_OVS_PATHS = ("/etc/openvswitch/conf.db", "/var/lib/openvswitch", "/run/openvswitch/db.sock")


def libvirt_installed(root: str = "/") -> bool:
    """Whether a libvirt daemon that runs QEMU guests is installed, or its socket is there."""
    return _any(root, _LIBVIRT_PROGRAMS, _LIBVIRT_UNITS, _LIBVIRT_PATHS)


def ovs_installed(root: str = "/") -> bool:
    """Whether Open vSwitch's daemons are installed, or their database or socket is there."""
    return _any(root, _OVS_PROGRAMS, _OVS_UNITS, _OVS_PATHS)


def _any(root: str, programs: Iterable[str], units: Iterable[str], paths: Iterable[str]) -> bool:
    wanted = [f"{folder}/{name}" for folder in _PROGRAM_DIRS for name in programs]
    wanted += [f"{folder}/{name}" for folder in _UNIT_DIRS for name in units]
    wanted += paths
    base = Path(root)
    return any(_is_there(base / path.lstrip("/")) for path in wanted)


def _is_there(path: Path) -> bool:
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:  # a folder that this user may not enter is there for something
        return True
    return True
