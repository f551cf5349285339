"""The memory at the agent's last look → metrics. A figure that is unknown has no series: it is never 0."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from hostagent.export.shapes import gauge
from hostagent.model.budget import Level

if TYPE_CHECKING:
    from collections.abc import Iterator

    from prometheus_client.core import Metric

    from hostagent.model.budget import Budget, KsmBalance, NodeBudget
    from hostagent.model.published import MemoryTold

LEVEL_NUMBERS: Final = {
    Level.UNKNOWN: -1,
    Level.HIGH: 0,
    Level.CLEAR: 1,
    Level.SOFT: 2,
    Level.HARD: 3,
    Level.LOW: 4,
}


def memory(told: MemoryTold | None) -> Iterator[Metric]:
    """All of it, nothing where the memory could not be read."""
    if told is None:
        return
    budget = told.budget
    numbers = "-1 unknown, 0 high, 1 clear, 2 soft, 3 hard, 4 low"
    level = float(LEVEL_NUMBERS[told.level])
    yield gauge("memory_timestamp_seconds", "When the memory was looked at.", told.at)
    yield gauge("memory_level", f"How the memory is: {numbers}.", level)
    yield gauge("memory_level_since_timestamp_seconds", "Since when it is so.", told.since)
    yield from _budget(budget)
    yield from _ratios(budget)
    yield from _nodes(budget.nodes)
    if budget.ksm is not None:
        yield from _ksm(budget.ksm)


def _budget(budget: Budget) -> Iterator[Metric]:
    figures = {
        "available": ("What the kernel says is available.", budget.available),
        "huge_pages": ("What is set aside in huge pages.", budget.huge),
        "reserved": ("What is kept for all that is no guest.", budget.reserved),
        "capacity": ("What guests may need: all, less reserved and huge pages.", budget.capacity),
        "elastic": ("Maxima and overheads of guests that KSM, a balloon or swap can shrink.", budget.elastic),
        "fixed": ("The same of guests that nothing can shrink.", budget.fixed),
        "needed": ("Fixed, and elastic divided by the limit of the ratio.", budget.needed),
        "headroom": ("Capacity less needed; negative when the budget is broken.", budget.headroom),
        "unmerge_headroom": ("Available less saved: left when every merged page is written.", budget.unmerge),
        "unmerge_headroom_with_swap": ("The same with the free swap on disks.", budget.unmerge_with_swap),
        "worst_case": ("In use if guests touched all that they may.", budget.worst),
        "shortfall": ("What the host lacks for its worst case; negative: to spare.", budget.shortfall),
    }
    yield gauge("memory_total_bytes", "What the kernel manages.", float(budget.total))
    for name, (about, value) in figures.items():
        if value is not None:
            yield gauge(f"memory_{name}_bytes", about, float(value))


def _ratios(budget: Budget) -> Iterator[Metric]:
    bases = {"max": budget.ratio, "balloon": budget.balloon_ratio, "rss": budget.resident_ratio}
    known = {(basis,): value for basis, value in bases.items() if value is not None}
    yield gauge("memory_ratio", "Promised to guests for each byte of capacity, by basis.", known, "basis")
    yield gauge("memory_ratio_limit", "How far elastic memory may be promised.", budget.limit)
    if budget.sustainable is not None:
        about = "The ratio that KSM would hold if guests touched everything."
        yield gauge("memory_sustainable_ratio", about, budget.sustainable)
    if budget.cpu_ratio is not None:
        yield gauge("cpu_ratio", "Virtual CPUs for each thread of the host.", budget.cpu_ratio)
    yield gauge("cpu_ratio_limit", "How many it may carry.", budget.cpu_limit)


def _nodes(nodes: tuple[NodeBudget, ...]) -> Iterator[Metric]:
    if not nodes:
        return
    for name, about, values in (
        ("capacity", "What guests bound to the NUMA node may need.", [each.capacity for each in nodes]),
        ("needed", "What they need.", [each.needed for each in nodes]),
        ("headroom", "What is left of it.", [each.headroom for each in nodes]),
    ):
        rows = {(str(node.number),): float(value) for node, value in zip(nodes, values, strict=True)}
        yield gauge(f"memory_node_{name}_bytes", about, rows, "node")


def _ksm(ksm: KsmBalance) -> Iterator[Metric]:
    figures = {
        "saved_bytes": ("What merging spares, zero pages included.", ksm.saved),
        "metadata_bytes": ("What its records take.", ksm.metadata),
        "profit_bytes": ("What is gained after its metadata; negative: lost.", ksm.profit),
        "mergeable_bytes": ("What guests hold in pages that could be merged.", ksm.mergeable),
        "scan_period_seconds": ("How long a pass over them takes.", ksm.scan_seconds),
    }
    yield gauge("ksm_running", "Whether KSM merges pages.", float(ksm.run == 1))
    for name, (about, value) in figures.items():
        if value is not None:
            yield gauge(f"ksm_{name}", about, float(value))
