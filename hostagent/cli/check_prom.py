"""A report as Prometheus metrics. A file of its own, for the library costs a third of a plugin's time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hostagent.export.metrics import STATE_NUMBERS, render
from hostagent.export.shapes import gauge

if TYPE_CHECKING:
    from hostagent.health.report import Report


def prom(report: Report) -> str:
    """The checks as the exporter has them, for node_exporter's textfile collector."""
    results = sorted(report.results, key=lambda each: each.code)
    numbers = "-1 skipped, 0 ok, 1 warn, 2 crit, 3 unknown"
    states = {(each.code,): float(STATE_NUMBERS[each.state]) for each in results}
    muted = {(each.code,): float(each.muted) for each in results}
    objects = {(each.code,): float(len(each.objects)) for each in results}
    overall = float(STATE_NUMBERS[report.status])
    metrics = (
        gauge("look_timestamp_seconds", "When the last look began.", report.taken_at),
        gauge("status", f"The worst state of all checks that are not muted: {numbers}.", overall),
        gauge("check_state", f"A check's state: {numbers}.", states, "code"),
        gauge("check_muted", "Whether somebody muted the check: it shall not alert.", muted, "code"),
        gauge("check_objects", "How many objects the check speaks of.", objects, "code"),
    )
    return render(metrics).decode()
