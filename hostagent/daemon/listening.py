"""Where the agent listens: one living agent per socket, with the right mode from the first moment."""

from __future__ import annotations

import fcntl
import grp
import logging
import os
import socket
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hostagent.errors import RefusedError

if TYPE_CHECKING:
    from pathlib import Path

_LOG = logging.getLogger(__name__)

_BACKLOG = 1024  # a full one fails a client that has a time-out, at once: connect(2), EAGAIN
_CREDENTIALS = "iII"  # struct ucred of unix(7)


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """Who asks, as the kernel says; ``pid`` is 0 for a process outside of our PID namespace."""

    pid: int
    uid: int
    gid: int


def lock(path: Path) -> int:
    """Hold PATH.lock for as long as this process lives: a living agent is known by it, even a hung one.

    Raises:
        RefusedError: there is one. OSError: the file can't be made.
    """
    number = os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        pid = os.pread(number, 20, 0).decode(errors="replace").strip()
        os.close(number)
        raise RefusedError(
            f"another agent serves {path} (process {pid}): systemctl status hostagent"
        ) from None
    os.ftruncate(number, 0)
    os.pwrite(number, str(os.getpid()).encode(), 0)
    return number


def listen(path: Path, group: str) -> socket.socket:
    """A socket that listens at ``path``, for root and ``group``; for root alone where there is no such group.

    Only for who holds the lock: what is at ``path`` is of an agent that has died.
    """
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
    try:
        listener.bind(str(path))
        path.chmod(0o600)  # nobody can connect before listen()
        try:
            os.chown(path, -1, grp.getgrnam(group).gr_gid)
            path.chmod(0o660)
        except (KeyError, PermissionError):
            _LOG.warning("%s is for root only: there is no group %s (systemd-sysusers makes it)", path, group)
        listener.listen(_BACKLOG)
    except BaseException:
        listener.close()
        raise
    return listener


def peer_of(accepted: socket.socket) -> Peer:
    """Who is at the other end of a connection."""
    raw = accepted.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize(_CREDENTIALS))
    pid, uid, gid = struct.unpack(_CREDENTIALS, raw)
    return Peer(pid=pid, uid=uid, gid=gid)
