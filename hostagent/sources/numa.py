"""NUMA nodes and pools of huge pages, from sysfs."""

from __future__ import annotations

import os
import re

from hostagent.model.memory import HugePool, NumaNode
from hostagent.sources.memory_text import parse_meminfo
from hostagent.sources.textfile import read_number, read_text

_POOL = re.compile(r"hugepages-(\d+)kB")
_NODE = re.compile(r"node(\d+)")


def read_pools(folder: str) -> tuple[HugePool, ...]:
    """The pools under ``folder``, by size; none where there is no such folder."""
    found = []
    for name in _names(folder):
        matched = _POOL.fullmatch(name)
        total = read_number(f"{folder}/{name}/nr_hugepages") if matched else None
        if matched and total is not None:
            free = read_number(f"{folder}/{name}/free_hugepages")
            found.append(HugePool(page_bytes=int(matched[1]) * 1024, total=total, free=free))
    return tuple(sorted(found, key=lambda pool: pool.page_bytes))


def read_nodes(folder: str) -> tuple[NumaNode, ...]:
    """The nodes that have memory, by number; a node of CPUs alone is left out."""
    found = []
    for name in _names(folder):
        matched = _NODE.fullmatch(name)
        figures = parse_meminfo(read_text(f"{folder}/{name}/meminfo") or "") if matched else {}
        if matched and figures.get("MemTotal"):
            pools = read_pools(f"{folder}/{name}/hugepages")
            node = NumaNode(
                number=int(matched[1]), total=figures["MemTotal"], free=figures.get("MemFree"), pools=pools
            )
            found.append(node)
    return tuple(sorted(found, key=lambda node: node.number))


def _names(folder: str) -> list[str]:
    try:
        with os.scandir(folder) as entries:
            return sorted(entry.name for entry in entries)
    except OSError:
        return []
