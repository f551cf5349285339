"""The order of units as text, JSON and dot."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

from hostagent.cli.words import paint, table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hostagent.decide.unit_order import Ordering


def as_text(found: Sequence[Ordering]) -> str:
    """One line for each pair, with the path or the missing edge."""
    if not found:
        return "This host has no units of libvirt and Open vSwitch to be ordered.\n"
    rows = [("STARTS LATER, STOPS FIRST", "STARTS FIRST", "START", "STOP", "PATH")]
    rows += [(each.later, each.earlier, _word(each.start), _word(each.stop), each.words) for each in found]
    wrong = sum(not each.right for each in found)
    last = f"{wrong} of {len(found)} orders missing" if wrong else f"all {len(found)} orders are right"
    return "\n".join([*table(rows), paint(last, "warn" if wrong else "ok")]) + "\n"


def as_json(found: Sequence[Ordering]) -> dict[str, Any]:
    """hostagent.order/v1."""
    return {
        "schema": "hostagent.order/v1",
        "right": all(each.right for each in found),
        "orders": [
            {
                "code": each.code,
                "later": each.later,
                "earlier": each.earlier,
                "right": each.right,
                "start": list(each.start),
                "stop": list(each.stop),
                "words": each.words,
            }
            for each in found
        ],
    }


def as_dot(found: Sequence[Ordering]) -> str:
    """A graph for graphviz: an arrow from what starts later; red and dashed where it is missing."""
    edges = {edge for each in found for path in (each.start, each.stop) for edge in pairwise(path)}
    lines = [f"  {_quoted(later)} -> {_quoted(earlier)};" for later, earlier in sorted(edges)]
    lines += [
        f"  {_quoted(each.later)} -> {_quoted(each.earlier)} [color=red, style=dashed, label=missing];"
        for each in found
        if not each.right
    ]
    return "\n".join(["digraph order {", "  rankdir=LR;", *lines, "}"]) + "\n"


def _word(path: Sequence[str]) -> str:
    return "ok" if path else "missing"


def _quoted(name: str) -> str:
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
