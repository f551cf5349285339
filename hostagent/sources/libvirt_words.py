"""libvirt's numbers → words: states, their reasons, jobs, and what an error means. Pure.

The numbers are libvirt's ABI (include/libvirt/libvirt-domain.h, virterror.h), the words are the enumerations'
names in lower case, which Domain.busy is written in: VIR_DOMAIN_PAUSED_STARTING_UP is "starting up".
"""

from __future__ import annotations

import errno

from hostagent.model.guests import DomainState
from hostagent.model.host import Trouble

_STATES = (
    DomainState.NOSTATE,
    DomainState.RUNNING,
    DomainState.BLOCKED,
    DomainState.PAUSED,
    DomainState.SHUTDOWN,
    DomainState.SHUTOFF,
    DomainState.CRASHED,
    DomainState.PMSUSPENDED,
)
_REASONS: dict[DomainState, tuple[str, ...]] = {
    DomainState.RUNNING: (
        "unknown",
        "booted",
        "migrated",
        "restored",
        "from snapshot",
        "unpaused",
        "migration canceled",
        "save canceled",
        "wakeup",
        "crashed",
        "postcopy",
        "postcopy failed",
    ),
    DomainState.PAUSED: (
        "unknown",
        "user",
        "migration",
        "save",
        "dump",
        "ioerror",
        "watchdog",
        "from snapshot",
        "shutting down",
        "snapshot",
        "crashed",
        "starting up",
        "postcopy",
        "postcopy failed",
        "api error",
    ),
    DomainState.SHUTDOWN: ("unknown", "user"),
    DomainState.SHUTOFF: (
        "unknown",
        "shutdown",
        "destroyed",
        "crashed",
        "migrated",
        "saved",
        "failed",
        "from snapshot",
        "daemon",
    ),
    DomainState.CRASHED: ("unknown", "panicked"),
}
_OPERATIONS = (
    "unknown",
    "start",
    "save",
    "restore",
    "migration in",
    "migration out",
    "snapshot",
    "snapshot revert",
    "dump",
    "backup",
    "snapshot delete",
)

_DENIED = {
    29,
    45,
    79,
    88,
    94,
}  # OPERATION_DENIED, AUTH_FAILED, AUTH_CANCELLED, ACCESS_DENIED, AUTH_UNAVAILABLE
_NO_DRIVER = {3, 5, 67}  # NO_SUPPORT, NO_CONNECT, CONFIG_UNSUPPORTED


def state_words(state: int, reason: int) -> tuple[DomainState, str]:
    """What virDomainGetState's two numbers mean; a number newer than this table gives NOSTATE or ""."""
    known = _STATES[state] if 0 <= state < len(_STATES) else DomainState.NOSTATE
    return known, _word(_REASONS.get(known, ()), reason)


def operation_word(operation: int) -> str:
    """What virDomainJobOperation is; "unknown" for a newer one."""
    return _word(_OPERATIONS, operation) or "unknown"


def trouble_of(code: int, error_number: int) -> Trouble:
    """What a failed libvirt call means; ``error_number`` is its int1, which is errno for a system error."""
    if code in _DENIED or error_number in {errno.EACCES, errno.EPERM}:
        return Trouble.DENIED
    if code in _NO_DRIVER:
        return Trouble.INVALID
    return Trouble.UNREACHABLE


def _word(words: tuple[str, ...], number: int) -> str:
    return words[number] if 0 <= number < len(words) else ""
