"""Other network namespaces, entered by a thread that lives only for that (setns(2) is each thread's own)."""

from __future__ import annotations

import ctypes
import os
import threading
from typing import TYPE_CHECKING, TypeVar

from hostagent.errors import ActError, HostagentError

if TYPE_CHECKING:
    from collections.abc import Callable

_CLONE_NEWNET = 0x40000000  # linux/sched.h
_OWN = "/proc/self/ns/net"
_T = TypeVar("_T")


def inside(namespace: str, call: Callable[[], _T]) -> _T:
    """What ``call`` returns when it runs in the namespace of this path ("" is this process's own).

    Sockets that it opens stay in that namespace, whoever uses them later.

    Raises:
        ActError: the namespace can't be entered; or what ``call`` raises.
    """
    done: list[_T] = []
    failed: list[BaseException] = []

    def work() -> None:
        try:
            if namespace:
                _enter(namespace)
            done.append(call())
        except (HostagentError, OSError) as error:
            failed.append(error)

    thread = threading.Thread(target=work, name="namespace", daemon=True)
    thread.start()
    thread.join()
    if failed:
        raise failed[0]
    if not done:
        raise ActError(f"work in network namespace {namespace or _OWN} ended without a result")
    return done[0]


def leave_to_a_new_one() -> None:
    """Move this thread (``inside`` has made it) to a fresh namespace, that ends with its last socket."""
    if _libc().unshare(_CLONE_NEWNET):
        raise _refused("a network namespace can't be made")


def handle(namespace: str) -> int:
    """An open file of the namespace, as rtnetlink takes it (IFLA_NET_NS_FD); close it."""
    try:
        return os.open(namespace or _OWN, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise ActError(
            f"network namespace {namespace} can't be opened: {error.strerror} (ip netns list)"
        ) from error


def _enter(namespace: str) -> None:
    number = handle(namespace)
    try:
        if _libc().setns(number, _CLONE_NEWNET):
            raise _refused(f"network namespace {namespace} can't be entered")
    finally:
        os.close(number)


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _refused(words: str) -> ActError:
    return ActError(f"{words}: {os.strerror(ctypes.get_errno())} (it takes CAP_SYS_ADMIN)")
