"""What drift was found, and what is to be done about it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping

Value: TypeAlias = "int | str | tuple[int, ...] | Mapping[str, str] | None"


class Owner(StrEnum):
    """Who made a port's row, which decides what may be done to it (DRIFT's table)."""

    LIBVIRT = "libvirt"  # generated name vnetN: the live XML is the whole truth
    LIBVIRT_NAMED = "libvirt, given name"  # the XML is silent about what others set from outside
    OS_VIF = "os-vif"  # plugged for nova: bridge, VLAN and ids are unknown to libvirt
    OTHER = "other"  # neutron, OVN, OpenNebula, oVirt, uplinks, by hand: never touched
    IGNORED = "ignored"  # opted out by external_ids


class Severity(StrEnum):
    """How bad a finding is."""

    OK = "ok"
    WARN = "warn"
    CRIT = "crit"


class StepKind(StrEnum):
    """The things the executor can do."""

    DELETE_PORT = "delete port"
    READD_PORT = "re-add port"  # delete, wait until vswitchd has applied it, add again with every column
    ADD_PORT = "add port"
    SET_COLUMNS = "set columns"
    DELETE_QOS = "delete QoS"
    DELETE_QUEUE = "delete queue"
    LINK_UP = "set link up"
    DELETE_TAP = "delete tap"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One difference: ``path`` is the column (``Port.tag``), the values are OVSDB's or None for unset."""

    path: str
    old: Value
    new: Value


@dataclass(frozen=True, slots=True, kw_only=True)
class Remedy:
    """What would end a finding. ``on_request`` remedies need their code named and a person's consent.

    ``bridge`` is where the port shall be afterwards. ``changes`` name columns of Port or Interface.
    ``qos`` and ``queues`` are UUIDs of rows that go with it.
    ``external_ids`` serve ADD_PORT alone. ``limit``, unless empty, is other_config of the linux-htb QoS and
    its queue 0 to be made for the port, as libvirt makes them for inbound bandwidth. ``witnessed``
    says that positive evidence shows a cleared column to be another guest's, so that the daemon may
    act on it by itself.
    """

    kind: StepKind
    bridge: str = ""
    changes: tuple[Change, ...] = ()
    external_ids: Mapping[str, str] = field(default_factory=dict)
    limit: Mapping[str, str] = field(default_factory=dict)
    qos: tuple[str, ...] = ()
    queues: tuple[str, ...] = ()
    on_request: bool = False
    witnessed: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One object that shows one code of DRIFT.

    ``object`` is ``BRIDGE/PORT`` or a row's UUID or a link's name; ``identity`` is what must be the same
    in two looks for them to speak of the same thing (row UUID, ifindex, domain UUID).
    ``held`` says in an operator's words why nothing may be done although the code has a remedy.
    """

    code: str
    object: str
    detail: str
    severity: Severity
    name: str = ""
    owner: Owner = Owner.OTHER
    identity: tuple[str, ...] = ()
    domain: str | None = None
    remedy: Remedy | None = None
    held: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unknown:
    """A code that could not be judged: ``section`` of the Snapshot was missing, for ``reason``."""

    section: str
    reason: str
    skip: bool  # the section is absent from this host or was not asked for, rather than unreadable


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """Everything found in one look, sorted by code and object; ``unknown`` is by code."""

    findings: tuple[Finding, ...]
    unknown: Mapping[str, Unknown]

    def of(self, code: str) -> tuple[Finding, ...]:
        """The findings with this code."""
        return tuple(f for f in self.findings if f.code == code)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One object's repair. ``expect`` are the columns it was decided on, which must still hold.

    ``limit`` asks for a QoS of libvirt's kind (see Remedy), with READD_PORT, ADD_PORT and SET_COLUMNS.
    ``port`` and ``interface`` are row UUIDs; ``ofport`` is kept over a re-add; ``ifindex`` is the tap's.
    """

    kind: StepKind
    object: str
    name: str
    codes: tuple[str, ...]
    reason: str
    undo: str
    owner: Owner
    port: str | None = None
    interface: str | None = None
    bridge: str = ""
    target_bridge: str = ""
    ofport: int | None = None
    ifindex: int | None = None
    domain: str | None = None
    changes: tuple[Change, ...] = ()
    external_ids: Mapping[str, str] = field(default_factory=dict)
    limit: Mapping[str, str] = field(default_factory=dict)
    qos: tuple[str, ...] = ()
    queues: tuple[str, ...] = ()
    expect: Mapping[str, Value] = field(default_factory=dict)
    on_request: bool = False
    witnessed: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A finding that the plan leaves alone, and why, in the operator's words."""

    code: str
    object: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is to be done, or why nothing may be. ``refused`` empties the plan's right to be applied.

    ``forced``: a person has lifted the caps.
    """

    steps: tuple[Step, ...]
    held: tuple[Held, ...] = ()
    refused: str = ""
    forced: bool = False
