"""TOML → Settings, with every fault at once."""

from __future__ import annotations

import difflib
import os
import tomllib
from dataclasses import fields, is_dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, TypeGuard, TypeVar, get_args, get_type_hints

from hostagent.config.records import Settings
from hostagent.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from dataclasses import Field
    from pathlib import Path

    from _typeshed import DataclassInstance

DEFAULT_FILE = "/etc/hostagent/hostagent.toml"

Record = TypeVar("Record", bound="DataclassInstance")


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


def tables() -> dict[str, type[DataclassInstance]]:
    """The tables of the file by their dotted names, as the records that hold their keys."""
    return dict(_tables(Settings, ""))


def _tables(record: type[DataclassInstance], prefix: str) -> Iterator[tuple[str, type[DataclassInstance]]]:
    for name, kind in get_type_hints(record).items():
        if _is_table(kind):
            if _plain_keys(kind):
                yield f"{prefix}{name}", kind
            yield from _tables(kind, f"{prefix}{name}.")


def _is_table(kind: object) -> TypeGuard[type[DataclassInstance]]:
    return isinstance(kind, type) and is_dataclass(kind)


def _plain_keys(record: type[DataclassInstance]) -> set[str]:
    return {name for name, kind in get_type_hints(record).items() if not _is_table(kind)}


def _table(record: type[Record], raw: Mapping[str, Any], where: str, problems: list[str]) -> Record:
    """Build ``record`` from one table, adding what is wrong with it to ``problems``."""
    kinds = get_type_hints(record)
    known: dict[str, Field[Any]] = {each.name: each for each in fields(record)}
    plain = _plain_keys(record)
    values: dict[str, Any] = {}
    for key, value in raw.items():
        if key not in known:
            problems.append(f"{where}{key}: unknown {'key' if plain else 'table'}{_guess(key, known)}")
        elif key not in plain:
            if isinstance(value, dict):
                values[key] = _table(kinds[key], value, f"{where}{key}.", problems)
            else:
                problems.append(f"{where}{key}: must be a table, [{where.rpartition(':')[2]}{key}]")
        elif fault := _fault(kinds[key], value, known[key]):
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


def _fault(kind: type, value: object, known: Field[Any]) -> str:
    """Why ``value`` can't stand for a key of ``kind``, or ""."""
    if items := get_args(kind):  # tuple[ITEM, ...]
        if not isinstance(value, list):
            return f"must be a list, not {value!r}"
        return next(
            (f"has {each!r}: {fault}" for each in value if (fault := _fault(items[0], each, known))), ""
        )
    if issubclass(kind, StrEnum):
        choices = " or ".join(f'"{each}"' for each in kind)
        return "" if value in list(kind) else f"must be {choices}, not {value!r}"
    limits = known.metadata
    accepted = (int, float) if kind is float else kind
    if not isinstance(value, accepted) or (isinstance(value, bool) and kind is not bool):
        return f"must be {_SCALARS[kind]}, not {value!r}"
    if isinstance(value, str) and limits["absolute"] and not value.startswith("/") and value != known.default:
        return f"must be an absolute path, not {value!r}"
    if isinstance(value, str) and "\0" in value:
        return "must not contain a NUL byte"
    least, most = limits["least"], limits["most"]
    if not isinstance(value, str) and least is not None and not least <= value <= most:
        return f"must be from {least:g} to {most:g}, not {value}"
    return ""
