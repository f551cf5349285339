"""Values → metric families of the Prometheus library, each with our prefix."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from prometheus_client.core import Metric

    from hostagent.model.histogram import Histogram

Key = TypeVar("Key", bound="tuple[str, ...]")


def gauge(name: str, about: str, value: float | Mapping[Key, float], *labels: str) -> Metric:
    """A value, or one for each tuple of label values."""
    family = GaugeMetricFamily(f"hostagent_{name}", about, labels=labels)
    for key, each in _rows(value):
        family.add_metric(key, each)
    return family


def counter(name: str, about: str, value: float | Mapping[Key, float], *labels: str) -> Metric:
    """A count, or one for each tuple of label values; the library adds _total to the name."""
    family = CounterMetricFamily(f"hostagent_{name}", about, labels=labels)
    for key, each in _rows(value):
        family.add_metric(key, each)
    return family


def _rows(value: float | Mapping[Key, float]) -> Iterable[tuple[Key | tuple[()], float]]:
    return [((), value)] if isinstance(value, int | float) else value.items()


def histogram(name: str, about: str, value: Histogram) -> Metric:
    """A histogram without labels."""
    bounds = [(str(le), count) for le, count in zip(value.le, value.counts, strict=False)]
    family = HistogramMetricFamily(f"hostagent_{name}", about)
    family.add_metric((), [*bounds, ("+Inf", value.count)], value.sum)
    return family
