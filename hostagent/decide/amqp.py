"""Which connections to brokers a firewall drops in silence."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address
from typing import TYPE_CHECKING

from hostagent.model.connections import Keepalive

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hostagent.model.connections import AmqpConnections, Connection

UNKNOWN_PROCESS = "unknown process"
_MOST_PIDS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Dropped:
    """The connections of one program to one broker that have no keepalive, or one that comes too late.

    ``id`` is PROGRAM/ADDRESS:PORT, the same after a restart of the program.
    """

    id: str
    detail: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AmqpVerdict:
    """``kept`` connections are right, ``hidden`` showed no timer, ``nameless`` may not be of those meant.

    ``local`` ones never leave this host, so that no firewall sees them.
    """

    dropped: tuple[Dropped, ...]
    kept: int
    hidden: int
    nameless: int
    local: int


def judge_amqp(amqp: AmqpConnections) -> AmqpVerdict:
    """Judge every connection of the processes that are meant."""
    meant = [each for each in amqp.connections if not each.process or _meant(each.process, amqp.processes)]
    remote = [each for each in meant if not _stays_here(each)]
    nameless = [each for each in remote if amqp.processes and not each.process]
    judged = [each for each in remote if each.process or not amqp.processes]
    groups: dict[str, list[Connection]] = {}
    for each in judged:
        if _is_dropped(each, amqp.limit_seconds):
            groups.setdefault(_id(each), []).append(each)
    hidden = sum(each.keepalive is Keepalive.HIDDEN for each in judged)
    dropped = tuple(
        Dropped(id=name, detail=_detail(group), count=len(group)) for name, group in sorted(groups.items())
    )
    return AmqpVerdict(
        dropped=dropped,
        kept=len(judged) - hidden - sum(each.count for each in dropped),
        hidden=hidden,
        nameless=len(nameless),
        local=len(meant) - len(remote),
    )


def span(seconds: float) -> str:
    """A length of time as an operator says it: 45 s, 12 min, 2.5 h."""
    if round(seconds) < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if round(seconds / 60) < 120 else f"{seconds / 3600:.3g} h"


def _meant(process: str, prefixes: tuple[str, ...]) -> bool:
    return not prefixes or process.startswith(prefixes)


def _stays_here(connection: Connection) -> bool:
    return connection.local == connection.peer or ip_address(connection.peer).is_loopback


def _is_dropped(connection: Connection, limit_seconds: float) -> bool:
    if connection.keepalive is Keepalive.ON:
        return connection.silence_seconds is not None and connection.silence_seconds > limit_seconds
    return connection.keepalive is Keepalive.OFF


def _id(connection: Connection) -> str:
    address = f"[{connection.peer}]" if ":" in connection.peer else connection.peer
    return f"{connection.process or UNKNOWN_PROCESS}/{address}:{connection.port}"


def _detail(group: Sequence[Connection]) -> str:
    late = [each.silence_seconds for each in group if each.silence_seconds is not None]
    parts = []
    if without := len(group) - len(late):
        parts.append(f"{_connections(without)} without a keepalive")
    if late:
        parts.append(f"{_connections(len(late))} with a keepalive only after {span(max(late))}")
    idle = sorted(each.idle_seconds for each in group)
    silent = span(idle[0]) if span(idle[0]) == span(idle[-1]) else f"{span(idle[0])} to {span(idle[-1])}"
    return f"{', '.join(parts)}; silent for {silent}{_pids(group)}"


def _connections(count: int) -> str:
    return f"{count} connection{'' if count == 1 else 's'}"


def _pids(group: Sequence[Connection]) -> str:
    pids = sorted({each.pid for each in group if each.pid is not None})
    if not pids:
        return ""
    more = f" and {len(pids) - _MOST_PIDS} more" if len(pids) > _MOST_PIDS else ""
    return f"; process{'' if len(pids) == 1 else 'es'} {', '.join(map(str, pids[:_MOST_PIDS]))}{more}"
