"""TCP connections to message brokers, and whether something keeps a firewall's memory of them alive."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Keepalive(StrEnum):
    """What is known of a connection's keepalive timer (SO_KEEPALIVE)."""

    ON = "on"
    OFF = "off"
    HIDDEN = "hidden"  # not known: the kernel shows one timer, and another one was pending


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """One established connection of this host to a broker. Addresses are without brackets or zone.

    ``idle_seconds`` is since when no packet was seen of it. ``silence_seconds`` is how long it may be silent
    before a probe is sent, at least; None where that is not known. ``process`` is the name of the program
    that holds it, "" where this user may not see that; ``pid`` goes with it.
    """

    local: str
    peer: str
    port: int
    keepalive: Keepalive
    idle_seconds: float
    silence_seconds: float | None = None
    process: str = ""
    pid: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AmqpConnections:
    """Every established connection to one of ``ports``, and by which settings it is judged.

    Only processes whose name begins with one of ``processes`` are meant; all if there are none. A firewall
    forgets a connection that was silent for ``limit_seconds``.
    """

    connections: tuple[Connection, ...]
    ports: tuple[int, ...]
    processes: tuple[str, ...]
    limit_seconds: float
