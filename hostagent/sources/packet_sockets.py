"""Which interfaces vswitchd really listens on: the ifindexes its AF_PACKET sockets are bound to."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from hostagent.model.host import Trouble
from hostagent.sources.deadline import ReadError

if TYPE_CHECKING:
    from collections.abc import Iterable

_SOCKET = re.compile(r"socket:\[(\d+)\]")


def parse_packet(text: str) -> dict[int, int]:
    """/proc/net/packet → inode of a socket → ifindex it is bound to (-1: the interface is gone; 0: all).

    Raises:
        ValueError: a line has not the columns of net/packet/af_packet.c, packet_seq_show().
    """
    header, *lines = text.splitlines() or [""]
    columns = header.split()
    try:
        iface, inode = columns.index("Iface"), columns.index("Inode")
    except ValueError as error:
        raise ValueError(f"its header is {header[:80]!r}") from error
    bound = {}
    for line in lines:
        fields = line.split()
        if len(fields) != len(columns):
            raise ValueError(f"it has a line {line[:80]!r}")
        bound[int(fields[inode])] = int(fields[iface])
    return bound


def socket_inodes(targets: Iterable[str]) -> frozenset[int]:
    """Where the links in /proc/PID/fd point → the inodes of the sockets among them."""
    return frozenset(int(found[1]) for target in targets if (found := _SOCKET.fullmatch(target)))


def read_packet_sockets(pid: int, proc_dir: str = "/proc") -> frozenset[int]:
    """The ifindexes that a process's packet sockets are bound to, in its network namespace.

    Raises:
        ReadError: with its trouble.
    """
    folder = Path(proc_dir, str(pid))
    try:
        inodes = socket_inodes(_targets(folder / "fd"))
        bound = parse_packet((folder / "net" / "packet").read_text(encoding="ascii"))
    except PermissionError as error:
        raise ReadError(
            Trouble.DENIED, f"vswitchd's sockets in {folder}: permission denied (run as root)"
        ) from error
    except (FileNotFoundError, ProcessLookupError) as error:
        raise ReadError(
            Trouble.UNREACHABLE, f"vswitchd's process {pid} has ended (systemctl status ovs-vswitchd)"
        ) from error
    except (OSError, ValueError) as error:
        raise ReadError(Trouble.INVALID, f"vswitchd's sockets in {folder} can't be read: {error}") from error
    return frozenset(index for inode, index in bound.items() if inode in inodes and index > 0)


def _targets(folder: Path) -> Iterable[str]:
    for link in folder.iterdir():
        try:
            yield str(link.readlink())
        except FileNotFoundError:  # closed meanwhile
            continue
