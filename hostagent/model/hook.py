"""libvirt's qemu hook: what is installed, and what the running daemons make of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

HOOKS = "/etc/libvirt/hooks"
OURS = "qemu.d/50-hostagent"
HELPER = "/usr/libexec/hostagent/hostagent-admit"
PYTHON = "/usr/bin/python3"


class Wrapper(StrEnum):
    """What is at the place of hostagent's own hook."""

    ABSENT = "absent"
    CURRENT = "current"
    OLDER = "older"  # of another version of hostagent, or for another socket
    FOREIGN = "foreign"
    BROKEN = "not executable"


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherHook:
    """A hook of somebody else's; ``changed_at`` in seconds since the epoch."""

    path: str
    changed_at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class HookDaemon:
    """A running libvirtd or virtqemud. ``lacks`` are the hook's files that it can't see from where it is."""

    name: str
    pid: int
    started_at: float
    lacks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Hook:
    """All of it. ``installed_at`` is when the wrapper was last changed, seconds since the epoch."""

    path: str
    wrapper: Wrapper
    installed_at: float | None = None
    others: tuple[OtherHook, ...] = ()
    daemons: tuple[HookDaemon, ...] = ()
