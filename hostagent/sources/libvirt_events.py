"""libvirt's events → their words. Pure.

The numbers are libvirt's ABI (include/libvirt/libvirt-domain.h), the words are the enumerations' names in
lower case: VIR_DOMAIN_EVENT_STARTED_BOOTED is ("started", "booted"). What is newer than these tables is "".
"""

from __future__ import annotations

_LIFECYCLE: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("defined", ("added", "updated", "renamed", "snapshot")),
    ("undefined", ("removed", "renamed")),
    ("started", ("booted", "migrated", "restored", "snapshot", "wakeup")),
    (
        "suspended",
        (
            "paused",
            "migrated",
            "ioerror",
            "watchdog",
            "restored",
            "snapshot",
            "api error",
            "postcopy",
            "postcopy failed",
        ),
    ),
    ("resumed", ("unpaused", "migrated", "snapshot", "postcopy", "postcopy failed")),
    ("stopped", ("shutdown", "destroyed", "crashed", "migrated", "saved", "failed", "snapshot")),
    ("shutdown", ("finished", "guest", "host")),
    ("pmsuspended", ("memory", "disk")),
    ("crashed", ("panicked", "crashloaded")),
)
_AGENT = ("", "connected", "disconnected")  # virConnectDomainEventAgentLifecycleState


def lifecycle_words(event: int, detail: int) -> tuple[str, str]:
    """What a VIR_DOMAIN_EVENT_ID_LIFECYCLE says, and its detail."""
    if not 0 <= event < len(_LIFECYCLE):
        return "", ""
    word, details = _LIFECYCLE[event]
    return word, details[detail] if 0 <= detail < len(details) else ""


def agent_word(state: int) -> str:
    """What a VIR_DOMAIN_EVENT_ID_AGENT_LIFECYCLE says."""
    return _AGENT[state] if 0 <= state < len(_AGENT) else ""
