"""Counts of observations by size."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Histogram:
    """Counts of observations at most ``le`` seconds, cumulative, as Prometheus has them."""

    le: tuple[float, ...] = (0.1, 0.25, 0.5, 1.0, 2.0, 2.25, 2.5, 3.0, 5.0, 10.0, 30.0, 60.0, 300.0)
    counts: tuple[int, ...] = (0,) * 13
    sum: float = 0.0
    count: int = 0
