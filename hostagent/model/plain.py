"""Frozen records ⇄ the plain values of JSON, by the records' own types.

Reading is lenient where versions may differ (a key that is unknown, or missing where there is a default),
and strict about types: what the agent of another version wrote must never be taken for something else.
"""

from __future__ import annotations

import json
import types
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, TypeVar, Union, get_args, get_origin, get_type_hints

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Record = TypeVar("Record", bound="DataclassInstance")


def plain(value: object) -> object:
    """``value`` with records as dicts and tuples as lists: what json.dumps takes."""
    if is_dataclass(value) and not isinstance(value, type):
        return {each.name: plain(getattr(value, each.name)) for each in fields(value)}
    if isinstance(value, Mapping):
        return {key: plain(each) for key, each in value.items()}
    if isinstance(value, tuple | list | frozenset):
        return [plain(each) for each in value]
    return value


def record(kind: type[Record], raw: object) -> Record:
    """A record of ``kind`` from what ``plain`` made of one.

    Raises:
        ValueError: naming the key that is missing or of another type.
    """
    if not isinstance(raw, dict):
        raise ValueError(f"{kind.__name__}: not a table")  # noqa: TRY004  one error for all that may be wrong
    hints = get_type_hints(kind)
    values: dict[str, Any] = {}
    for each in fields(kind):
        if each.name in raw:
            values[each.name] = _value(hints[each.name], raw[each.name], f"{kind.__name__}.{each.name}")
        elif each.default is MISSING and each.default_factory is MISSING:
            raise ValueError(f"{kind.__name__}.{each.name} is missing")
    return kind(**values)


def _value(kind: Any, raw: object, where: str) -> object:  # noqa: ANN401  any annotation that a record may have
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in {Union, types.UnionType}:
        if raw is None and type(None) in arguments:
            return None
        return _value(next(each for each in arguments if each is not type(None)), raw, where)
    if origin is tuple:
        kinds = arguments[:1] * len(raw) if arguments[1:] == (...,) and isinstance(raw, list) else arguments
        if not isinstance(raw, list) or len(kinds) != len(raw):
            raise ValueError(f"{where}: {raw!r:.60} is not such a list")
        return tuple(_value(each, item, where) for each, item in zip(kinds, raw, strict=True))
    if origin is not None and issubclass(origin, Mapping):
        if not isinstance(raw, dict):
            raise ValueError(f"{where}: {raw!r:.60} is no table")
        return {str(key): _value(arguments[1], each, where) for key, each in raw.items()}
    if is_dataclass(kind):
        return record(kind, raw)  # type: ignore[arg-type]  # a class, as get_type_hints gives only those
    if kind is float and isinstance(raw, int) and not isinstance(raw, bool):
        return float(raw)
    if kind is Any:
        return raw
    if issubclass(kind, StrEnum) and raw in list(kind):
        return kind(raw)
    if type(raw) is not kind:
        raise ValueError(f"{where}: {raw!r:.60} is no {kind.__name__}")
    return raw


def text(value: object) -> str:
    """A record as one line of JSON."""
    return json.dumps(plain(value), separators=(",", ":"))


def from_text(kind: type[Record], line: str) -> Record:
    """A record from its JSON.

    Raises:
        ValueError: it is no JSON, or not of this kind.
    """
    return record(kind, json.loads(line))
