"""Whether libvirt really runs the hook. Pure.

libvirt looks for hooks when it starts and on SIGHUP, and from then on only remembers whether there was any;
the files of qemu.d are listed at each call (src/util/virhook.c). So a daemon that had found some other hook
runs a new one at once, and one that had found none never does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hostagent.model.hook import Wrapper

if TYPE_CHECKING:
    from hostagent.model.hook import Hook, HookDaemon


@dataclass(frozen=True, slots=True, kw_only=True)
class Force:
    """``holds`` is None where nobody can tell; ``reason`` are the operator's words."""

    holds: bool | None
    reason: str


def in_force(hook: Hook, asked_at: float | None = None) -> Force:
    """The verdict; ``asked_at`` is when the agent was last asked by the hook, seconds since the epoch."""
    if hook.wrapper is not Wrapper.CURRENT or hook.installed_at is None:
        return Force(holds=False, reason=_NOT_THERE[hook.wrapper])
    if not hook.daemons:
        return Force(holds=True, reason="no libvirtd or virtqemud runs; the next one finds it")
    for daemon in hook.daemons:
        who = f"{daemon.name} (process {daemon.pid})"
        if daemon.lacks:
            return Force(
                holds=False, reason=f"{who} can't see {', '.join(daemon.lacks)}: it is in a container"
            )
        if asked_at is not None and asked_at > max(hook.installed_at, daemon.started_at):
            continue
        if not _found(hook, daemon):
            unit = f"{daemon.name}.service"
            words = (
                f"{who} started before there was a hook: it runs it if it was reloaded since "
                f"(systemctl reload {unit}; the next start of a guest shows it)"
            )
            return Force(holds=None, reason=words)
    return Force(holds=True, reason="libvirt runs it before each start")


_NOT_THERE = {
    Wrapper.ABSENT: "it is not installed (hostagent hook install)",
    Wrapper.CURRENT: "it is not installed (hostagent hook install)",
    Wrapper.OLDER: "it is of another version (hostagent hook install brings it up to date)",
    Wrapper.FOREIGN: "the file there is not hostagent's: move it away, then hostagent hook install",
    Wrapper.BROKEN: "libvirt skips it, as it is not executable (hostagent hook install)",
}


def _found(hook: Hook, daemon: HookDaemon) -> bool:
    """Whether the daemon had a hook to find when it started."""
    times = [each.changed_at for each in hook.others]
    if hook.installed_at is not None:
        times.append(hook.installed_at)
    return any(at < daemon.started_at for at in times)
