"""Settings of one node, from /etc/hostagent/hostagent.toml: TOML → frozen records.

Each key is a field below: its type, default, range and the words of docs/operate/configuration.md.
"""

from __future__ import annotations

import difflib
import os
import tomllib
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, TypeVar, get_type_hints

from hostagent.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from dataclasses import Field
    from pathlib import Path

    from _typeshed import DataclassInstance

DEFAULT_FILE = "/etc/hostagent/hostagent.toml"

T = TypeVar("T")
Record = TypeVar("Record", bound="DataclassInstance")


def _key(
    default: T, about: str, *, least: float | None = None, most: float | None = None, absolute: bool = False
) -> T:
    limits = {"about": about, "least": least, "most": most, "absolute": absolute}
    value: T = field(default=default, metadata=limits)
    return value


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """Where the daemons of the node are. An empty libvirt_uri means there is none."""

    libvirt_uri: str = _key("qemu:///system", "libvirt's connection URI; empty on a host without libvirt")
    ovs_run_dir: str = _key(
        "/run/openvswitch", "holds ovs-vswitchd's pid file and control socket", absolute=True
    )
    ovsdb_socket: str = _key(
        "/run/openvswitch/db.sock", "the socket that ovsdb-server listens on", absolute=True
    )
    proc_dir: str = _key("/proc", "where procfs is mounted", absolute=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Looks:
    """How the host is looked at, in seconds."""

    timeout_seconds: float = _key(
        10.0, "how long one `hostagent check` or `fix` may look, both looks included", least=0.1, most=600
    )
    grace_seconds: float = _key(
        2.0,
        "how long a suspicion must last: the time between the first look and the second",
        least=0,
        most=60,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Repair:
    """How much may be changed at once (ARCHITECTURE, what makes a repair safe, 4).

    ``max_steps`` caps the steps of one plan; ``max_live_share`` caps the part of the running guests'
    ports that one plan may interrupt, once more than ``min_live_ports`` of them are meant;
    ``max_per_hour`` is the latch on what keeps breaking.
    """

    max_steps: int = _key(100, "a plan with more steps is refused without --force", least=1, most=100_000)
    max_live_share: float = _key(
        0.5,
        "a plan that interrupts a larger part of the running guests' ports needs --force",
        least=0,
        most=1,
    )
    min_live_ports: int = _key(
        10,
        "max_live_share only counts when more running guests' ports than this are meant",
        least=0,
        most=100_000,
    )
    max_per_hour: int = _key(
        2000,
        "more steps than this within an hour need --force: something keeps breaking",
        least=1,
        most=1_000_000,
    )
    barrier_seconds: float = _key(
        5.0, "how long to wait until ovs-vswitchd has applied a transaction", least=0.1, most=60
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Paths:
    """What hostagent keeps on the host."""

    state_dir: str = _key("/var/lib/hostagent", "the journal of repairs", absolute=True)
    run_dir: str = _key("/run/hostagent", "the lock and the agent's socket", absolute=True)
    checks_dir: str = _key(
        "/etc/hostagent/checks.d",
        "the site's own checks, refused unless only root can write them",
        absolute=True,
    )
    stop_file: str = _key(
        "/etc/hostagent/stop", "while this file exists nothing is changed on the host", absolute=True
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All of it. Every key has a default that is right on Debian."""

    sources: Sources = field(default_factory=Sources)
    looks: Looks = field(default_factory=Looks)
    repair: Repair = field(default_factory=Repair)
    paths: Paths = field(default_factory=Paths)


def load(path: Path, *, required: bool = True) -> Settings:
    """Read a settings file; without ``required`` a file that does not exist means the defaults.

    Raises:
        ConfigError: with every fault found, each as ``file:key: reason``.
    """
    try:
        text = path.read_bytes().decode()
    except FileNotFoundError:
        if not required:
            return Settings()
        raise ConfigError((f"{path}: no such file (name another with --config FILE)",)) from None
    except OSError as error:
        raise ConfigError((f"{path}: can't be read: {os.strerror(error.errno or 0)}",)) from error
    except UnicodeDecodeError as error:
        raise ConfigError((f"{path}: is not UTF-8 at byte {error.start}",)) from error
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError((f"{path}: is not TOML: {error}",)) from error
    return parse(raw, str(path))


def parse(raw: Mapping[str, Any], source: str) -> Settings:
    """Turn TOML's tables into Settings; ``source`` names the file in the errors.

    Raises:
        ConfigError: with every fault found.
    """
    problems: list[str] = []
    settings = _table(Settings, raw, f"{source}:", problems)
    if problems:
        raise ConfigError(tuple(problems))
    return settings


def tables() -> dict[str, type]:
    """The tables of the file, by name, as the records that hold their keys."""
    return get_type_hints(Settings)


def _table(record: type[Record], raw: Mapping[str, Any], where: str, problems: list[str]) -> Record:
    """Build ``record`` from one table, adding what is wrong with it to ``problems``."""
    kinds = get_type_hints(record)
    known: dict[str, Field[Any]] = {each.name: each for each in fields(record)}
    values: dict[str, Any] = {}
    for key, value in raw.items():
        if key not in known:
            problems.append(
                f"{where}{key}: unknown {'table' if record is Settings else 'key'}{_guess(key, known)}"
            )
        elif kinds[key] not in _SCALARS:
            if isinstance(value, dict):
                values[key] = _table(kinds[key], value, f"{where}{key}.", problems)
            else:
                problems.append(f"{where}{key}: must be a table, [{key}]")
        elif fault := _fault(kinds[key], value, known[key].metadata):
            problems.append(f"{where}{key}: {fault}")
        else:
            values[key] = kinds[key](value)
    return record(**values)


_SCALARS: Mapping[type, str] = {
    str: "a string",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
}


def _guess(key: str, known: Mapping[str, object]) -> str:
    close = difflib.get_close_matches(key, known, n=1)
    return f" (did you mean {close[0]}?)" if close else f" (known: {', '.join(known)})"


def _fault(kind: type, value: object, limits: Mapping[str, Any]) -> str:
    """Why ``value`` can't stand for a key of ``kind``, or ""."""
    accepted = (int, float) if kind is float else kind
    if not isinstance(value, accepted) or (isinstance(value, bool) and kind is not bool):
        return f"must be {_SCALARS[kind]}, not {value!r}"
    if isinstance(value, str) and limits["absolute"] and not value.startswith("/"):
        return f"must be an absolute path, not {value!r}"
    if isinstance(value, str) and "\0" in value:
        return "must not contain a NUL byte"
    least, most = limits["least"], limits["most"]
    if not isinstance(value, str) and least is not None and not least <= value <= most:
        return f"must be from {least:g} to {most:g}, not {value}"
    return ""
