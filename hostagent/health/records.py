"""The records that a check is made of, and what it is given. hostagent.health.api offers them to checks."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from hostagent.config import Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from hostagent.decide.memory.view import MemoryView
    from hostagent.model.boot_told import BootsTold
    from hostagent.model.host import Snapshot, Unavailable
    from hostagent.model.plan import Drift


class State(StrEnum):
    """A check's verdict. Nothing read never means OK."""

    OK = "ok"
    WARN = "warn"
    CRIT = "crit"
    UNKNOWN = "unknown"
    SKIP = "skip"


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectResult:
    """One object that a check speaks of; ``detail`` is in the operator's words."""

    id: str
    detail: str
    fields: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a check says of one Context. ``fixable``: ``hostagent fix`` has a step for some object of it."""

    state: State
    summary: str
    objects: tuple[ObjectResult, ...] = ()
    fixable: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """All that a check may look at: the host as read, and its drift as decided (once, for all checks).

    ``memory`` is the view of the host's memory, made once for all checks too: the agent's knows what earlier
    looks observed. Without one each check makes its own of the snapshot. ``boots`` is what the agent's pacing
    tells, None in a look without it.
    """

    snapshot: Snapshot
    drift: Drift
    settings: Settings = field(default_factory=Settings)
    memory: MemoryView | Unavailable | None = None
    boots: BootsTold | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A host, in the TOML of tests/cases, and the state that the check must give for it."""

    title: str
    host: str
    state: State
    objects: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One health check: identity, runbook, and the pure function that judges.

    ``code`` is SUBSYSTEM_OBJECT_CONDITION, never renamed or reused; ``group`` is its subsystem in lower
    case (ovs, ovn, neutron, libvirt, …). ``severity`` is the worst state it can give on its own account.
    ``meaning``, ``impact``, ``evidence`` (commands) and ``repair`` are the runbook that ``explain``, the
    man page and the docs page print. ``grace`` says that one look is not enough to believe it.
    """

    code: str
    group: str
    title: str
    severity: State
    meaning: str
    impact: str
    evidence: tuple[str, ...]
    repair: str
    evaluate: Callable[[Context], Verdict]
    examples: tuple[Example, ...]
    grace: bool = False
