"""What only /proc and the distribution's files tell: who holds a tap open, and how OVS is started."""

from __future__ import annotations

import os
import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from hostagent.model.host import Trouble
from hostagent.sources.deadline import ReadError
from hostagent.sources.pids import process_ids

if TYPE_CHECKING:
    from collections.abc import Iterator

_TUN = "/net/tun"  # below /dev, which may be mounted elsewhere in a container
# drivers/net/tun.c, tun_chr_show_fdinfo(); the name may hold anything but a newline or "/".
_INTERFACE = re.compile(r"^iff:\t(.*)$", re.MULTILINE)
# Debian's and Red Hat's environment files of ovsdb-server.service, and the variable that each unit passes on.
_OVS_FILES = (
    ("/etc/default/openvswitch-switch", "OVS_CTL_OPTS"),
    ("/etc/sysconfig/openvswitch", "OPTIONS"),
)


def parse_fdinfo(text: str) -> str | None:
    """/proc/PID/fdinfo/N of a tun queue → the name of its device, None if it has none (yet)."""
    found = _INTERFACE.search(text)
    return found[1] if found and found[1] else None


def read_tap_holders(proc_dir: str = "/proc") -> dict[str, tuple[int, ...]]:
    """Tap name → ids of the processes that hold a queue of it open, in any network namespace.

    Raises:
        ReadError: DENIED, when the files of one process can't be read: it might hold any tap.
    """
    holders: dict[str, set[int]] = {}
    for name in process_ids(proc_dir):
        try:
            for tap in _taps_of(f"{proc_dir}/{name}"):
                holders.setdefault(tap, set()).add(int(name))
        except (FileNotFoundError, ProcessLookupError, NotADirectoryError):  # the process has ended
            continue
        except PermissionError as error:
            raise ReadError(
                Trouble.DENIED,
                f"open files of process {name}: permission denied (run as root, with CAP_SYS_PTRACE)",
            ) from error
    return {tap: tuple(sorted(pids)) for tap, pids in holders.items()}


def _taps_of(process: str) -> Iterator[str]:
    # Reading a link never touches the file behind it, which may be on a storage that hangs.
    folder = os.open(f"{process}/fd", os.O_RDONLY | os.O_DIRECTORY)
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                tap = _tap_of(process, entry.name, folder)
                if tap is not None:
                    yield tap
    finally:
        os.close(folder)


def _tap_of(process: str, fd: str, folder: int) -> str | None:
    try:
        if not os.readlink(fd, dir_fd=folder).endswith(_TUN):
            return None
        text = Path(process, "fdinfo", fd).read_text(encoding="utf-8", errors="surrogateescape")
    except FileNotFoundError:  # closed meanwhile
        return None
    return parse_fdinfo(text)


def parse_environment(text: str, variable: str) -> str:
    """A variable's value in a shell-like environment file; the last assignment counts, "" if there is none.

    Raises:
        ValueError: a quotation is not closed.
    """
    value = ""
    for word in shlex.split(text, comments=True):
        name, equals, rest = word.partition("=")
        if equals and name == variable:
            value = rest
    return value


def read_ovs_ctl_options(root: str = "/") -> str:
    """The options that the distribution's unit gives to ovs-ctl.

    Raises:
        ReadError: ABSENT without such a file, DENIED or INVALID.
    """
    for path, variable in _OVS_FILES:
        file = Path(root, path.lstrip("/"))
        try:
            return parse_environment(file.read_text(encoding="utf-8", errors="surrogateescape"), variable)
        except FileNotFoundError:
            continue
        except PermissionError as error:
            raise ReadError(Trouble.DENIED, f"{file}: permission denied (run as root)") from error
        except (OSError, ValueError) as error:
            raise ReadError(Trouble.INVALID, f"{file} can't be read: {error}") from error
    names = " or ".join(path for path, _ in _OVS_FILES)
    raise ReadError(Trouble.ABSENT, f"Open vSwitch's start options: there is no {names}")
