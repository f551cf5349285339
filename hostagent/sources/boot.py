"""What can be known at a boot before libvirt and vswitchd are there: from /proc, /sys and two small files."""

from __future__ import annotations

import json
from pathlib import Path

from hostagent.model.host import Trouble
from hostagent.model.ports import Link, Links
from hostagent.model.units import PurgeMark, PurgeState
from hostagent.sources.deadline import ReadError
from hostagent.sources.pids import process_ids

MARK = "purge.json"
# libvirt-guests keeps the guests that it stopped there until its next start (tools/libvirt-guests.sh.in).
_GUESTS_LIST = "/var/lib/libvirt/libvirt-guests"
_TAP = 0x2  # IFF_TAP of linux/if_tun.h
_GUESTS = ("qemu-system", "qemu-kvm", "qemu:")  # the last: set_process_name of qemu.conf
_DAEMONS = frozenset({"kvm", "libvirtd", "virtqemud"})


def read_boot_id(proc_dir: str = "/proc") -> str:
    """The kernel's id of this boot.

    Raises:
        ReadError: with its trouble.
    """
    try:
        return Path(proc_dir, "sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError as error:
        raise ReadError(Trouble.INVALID, f"the boot's id can't be read: {error}") from error


def read_mark(run_dir: str, boot_id: str) -> PurgeMark | None:
    """What the purge of this boot left; None when there was none.

    Raises:
        ReadError: with its trouble.
    """
    path = Path(run_dir, MARK)
    try:
        raw = json.loads(path.read_bytes())
        mark = PurgeMark(**raw | {"state": PurgeState(raw["state"]), "ran": frozenset(raw["ran"])})
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise ReadError(Trouble.INVALID, f"{path} can't be read: {error} (rm {path})") from error
    return mark if mark.boot_id == boot_id else None


def read_taps(sys_dir: str = "/sys") -> Links:
    """The links of this network namespace, from sysfs: cheaper than rtnetlink, and enough for a boot.

    Raises:
        ReadError: with its trouble.
    """
    try:
        found = [_link(folder) for folder in Path(sys_dir, "class/net").iterdir()]
    except OSError as error:
        raise ReadError(Trouble.INVALID, f"{sys_dir}/class/net can't be read: {error}") from error
    return Links(by_name={link.name: link for link in found})


def read_hypervisors(proc_dir: str = "/proc") -> tuple[str, ...]:
    """Processes that are a guest or could start one, as "NAME (process PID)".

    Raises:
        ReadError: with its trouble.
    """
    names = {pid: _name(Path(proc_dir, pid)) for pid in process_ids(proc_dir)}
    found = {pid: name for pid, name in names.items() if name.startswith(_GUESTS) or name in _DAEMONS}
    return tuple(f"{name} (process {pid})" for pid, name in sorted(found.items()))


def read_stopped_guests(path: str = _GUESTS_LIST) -> frozenset[str]:
    """UUIDs of the guests that libvirt-guests stopped at the last shutdown; empty when it left no list."""
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return frozenset()  # a hint only: the check that uses it says nothing without it
    return frozenset(word for line in lines for word in line.split()[1:])


def _link(folder: Path) -> Link:
    try:
        tap = bool(int((folder / "tun_flags").read_text(encoding="ascii"), 16) & _TAP)
    except OSError:
        tap = False
    try:
        index = int((folder / "ifindex").read_text(encoding="ascii"))
    except OSError:
        index = 0
    return Link(name=folder.name, ifindex=index, tap=tap)


def _name(folder: Path) -> str:
    try:
        return (folder / "comm").read_text(encoding="utf-8", errors="replace").strip()
    except OSError:  # it has ended meanwhile
        return ""
