"""Every file under tests/cases/memory: a kernel's files and guests, and every figure that they give.

A case may be ``like`` another: then it holds what differs, and all figures that it does not name are the
other's. Amounts are MiB, worked out by hand in the comments; "unknown" is None, "none" is that there is no
such thing.
"""

from __future__ import annotations

import shutil
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hostagent.config import Memory
from hostagent.decide.memory.view import MemoryView, view
from hostagent.health.case_memory import guests_memory_of
from hostagent.model.host import Trouble, Unavailable
from hostagent.sources.memory import read_memory

TESTS = Path(__file__).parents[2]
CASES = {path.stem: path for path in (TESTS / "cases" / "memory").glob("*.toml")}
UNREAD = Unavailable(trouble=Trouble.UNRESPONSIVE, reason="libvirt did not answer", since=0.0)
MIB = 1 << 20
PLAIN = frozenset(
    {"ratio", "balloon_ratio", "resident_ratio", "sustainable", "vcpus", "cpu_ratio", "scan_seconds"}
)
OF_KSM = frozenset({"metadata", "profit", "mergeable", "scan_seconds", "advisor"})


def merged(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    both = dict(old)
    for key, value in new.items():
        kept = both.get(key)
        both[key] = merged(kept, value) if isinstance(kept, dict) and isinstance(value, dict) else value
    return both


def load(name: str) -> dict[str, Any]:
    raw = tomllib.loads(CASES[name].read_text())
    return merged(load(raw.pop("like")), raw) if "like" in raw else raw


def furnish(root: Path, raw: dict[str, Any]) -> None:
    """The kernel's tree with what the case changes."""
    shutil.copytree(TESTS / "fixtures" / "memory" / f"linux-{raw['tree']}", root)
    meminfo = root / "proc" / "meminfo"
    lines = dict(line.split(":", 1) for line in meminfo.read_text().splitlines())
    for key, value in raw.get("meminfo", {}).items():
        if value is False:
            del lines[key]
        else:
            lines[key] = f" {value}{' kB' if 'kB' in lines[key] else ''}"
    meminfo.write_text("".join(f"{key}:{value}\n" for key, value in lines.items()))
    for path, text in raw.get("files", {}).items():
        if text is not False:
            (root / path).write_text(text)
        elif (root / path).is_dir():
            shutil.rmtree(root / path)
        else:
            (root / path).unlink()


def rows(raw: dict[str, Any]) -> list[dict[str, Any]]:
    """[guest.NAME] as the rows of a [[guest_memory]]; false and "unread" are what could not be read."""
    found = []
    for name, fields in raw.get("guest", {}).items():
        if not fields.pop("absent", False):
            unread = {key for key in ("balloon", "process") if fields.get(key) is False}
            row = {key: value for key, value in fields.items() if key not in unread}
            if "process" in row:
                row["process"] = {key: value for key, value in row["process"].items() if value != "unread"}
            found.append({"name": name, **row})
    return found


def seen(name: str, root: Path) -> tuple[MemoryView, dict[str, Any]]:
    raw = load(name)
    furnish(root, raw)
    _, memory = read_memory(str(root / "proc"), str(root / "sys"), now=0.0)
    guests = UNREAD if raw.get("guests_unread") else guests_memory_of(rows(raw))
    found = view(replace(memory, page_bytes=4096), guests, replace(Memory(), **raw.get("settings", {})))
    assert isinstance(found, MemoryView)
    return found, raw["expect"]


def figure(found: MemoryView, key: str) -> Any:
    """The figure that a key of [expect] names."""
    budget, none = found.budget, "none"
    owner, _, rest = key.partition("_")
    if key == "level":
        return str(found.state.level)
    if key in OF_KSM:
        return none if budget.ksm is None else getattr(budget.ksm, key)
    if owner.startswith("node"):
        nodes = {f"node{node.number}": node for node in budget.nodes}
        return getattr(nodes[owner], rest) if owner in nodes else none
    if owner in {"a", "b"}:
        guests = {share.name: share for share in budget.guests or ()}
        if rest == "available":
            guest = next(each for each in found.guests.all() if each.name == owner) if found.guests else None
            return guest.balloon.available if guest and guest.balloon else none
        return getattr(guests[owner], rest) if owner in guests else none
    return getattr(budget, key)


@pytest.mark.parametrize("name", sorted(CASES))
def test_case(name: str, tmp_path: Path) -> None:
    found, expect = seen(name, tmp_path / "root")
    wrong = {}
    for key, wanted in expect.items():
        got = figure(found, key)
        if got is None:
            got = "unknown"
        if isinstance(got, int | float) and key not in PLAIN:
            got = got / MIB
        close = 0.001 if key in PLAIN and key != "scan_seconds" else 0.01
        close = 0.00001 if key.endswith("ratio") or key == "sustainable" else close
        if got != (wanted if isinstance(wanted, str) else pytest.approx(wanted, abs=close)):
            wrong[key] = (got, wanted)
    assert wrong == {}


def test_there_are_forty_hosts_and_each_has_every_figure() -> None:
    assert len(CASES) >= 40
    every = set(load("plain")["expect"])
    assert len(every) >= 30
    for name in CASES:
        assert every <= load(name)["expect"].keys(), name
