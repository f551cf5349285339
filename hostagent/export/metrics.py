"""What the agent published → Prometheus metrics. docs/operate/metrics.md says what each is good for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from prometheus_client import CollectorRegistry, generate_latest

from hostagent.export.boot_metrics import boots
from hostagent.export.document import Unread
from hostagent.export.memory_metrics import memory
from hostagent.export.shapes import counter, gauge, histogram

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from prometheus_client.core import Metric

    from hostagent.export.document import Document, Freshness
    from hostagent.model.published import Admissions, LoopCost, Published

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"

# Nagios's numbers; what is skipped is below all of them, so that "> 0" means trouble.
STATE_NUMBERS: Final = {"skip": -1, "ok": 0, "warn": 1, "crit": 2, "unknown": 3}
HOLDS: Final = ("paused", "latched", "stopped", "disabled")

# The host does not have it, or it is read on request only: nothing is down.
_NOT_WANTED: Final = {"absent", "not asked"}


def pulse_limit(pulse_seconds: float) -> float:
    """How old the agent's last sign of life may be, in seconds: five pulses, for one look may delay some."""
    return max(5 * pulse_seconds, 30.0)


def families(document: Document | Unread, fresh: Freshness) -> list[Metric]:
    """The metrics of the agent. Of an agent that is not alive only times are left, of an old look nothing."""
    found: list[Metric] = [
        gauge("agent_up", "Whether the agent's last sign of life is fresh.", float(fresh.alive))
    ]
    if isinstance(document, Unread):
        return found
    published = document.published
    found += _times(published)
    if fresh.look:
        found += _checks(document)
        found += _dhcp(published)
        found += memory(published.memory)
    if fresh.alive:
        found += _sources(published)
        found += _acting(published)
        found += _admission(published.admission)
        found += boots(published)
        found += _cost(published.cost)
    return found


def render(metrics: Iterable[Metric]) -> bytes:
    """The text format 0.0.4, by a registry of our own: the library's global one holds things of its own."""
    registry = CollectorRegistry()
    registry.register(_Given(tuple(metrics)))
    return generate_latest(registry)


def _times(published: Published) -> Iterator[Metric]:
    version = {(published.version,): 1.0}
    yield gauge("build_info", "The agent's version, as a label.", version, "version")
    yield gauge("agent_start_time_seconds", "When the agent started.", published.started_at)
    yield gauge("published_timestamp_seconds", "When the agent last said that it lives.", published.alive_at)
    yield gauge("look_timestamp_seconds", "When the agent's last look began.", published.taken_at)
    limit = published.fresh_seconds
    yield gauge("look_fresh_seconds", "A look older than this is not shown any more.", limit)


def _checks(document: Document) -> Iterator[Metric]:
    checks = {(code,): each for code, each in document.checks.items()}
    numbers = "-1 skipped, 0 ok, 1 warn, 2 crit, 3 unknown"
    states = {key: float(STATE_NUMBERS[each.state]) for key, each in checks.items()}
    muted = {key: float(each.muted) for key, each in checks.items()}
    since = {key: each.since for key, each in checks.items() if each.since is not None}
    objects = {key: float(each.objects) for key, each in checks.items()}
    overall = float(STATE_NUMBERS[document.status])
    yield gauge("status", f"The worst state of all checks that are not muted: {numbers}.", overall)
    yield gauge("check_state", f"A check's state: {numbers}.", states, "code")
    yield gauge("check_muted", "Whether somebody muted the check: it shall not alert.", muted, "code")
    yield gauge("check_since_timestamp_seconds", "Since when the check has its state.", since, "code")
    yield gauge("check_objects", "How many objects the check speaks of.", objects, "code")


def _dhcp(published: Published) -> Iterator[Metric]:
    networks = {(each.network, each.server): each for each in published.dhcp}
    verdicts = {(*key, each.layer): each for key, found in networks.items() for each in found.verdicts}
    labels = "network", "server", "layer"
    numbers = "-1 could not be tried, 0 ok, 1 warn, 2 crit"
    states = {key: float(STATE_NUMBERS[each.state]) for key, each in verdicts.items()}
    yield gauge("dhcp_verdict", f"What a layer says of renewals: {numbers}.", states, *labels)
    took = {key: each.latency_seconds for key, each in verdicts.items() if each.latency_seconds is not None}
    yield gauge("dhcp_probe_latency_seconds", "The median of the server's answers.", took, *labels)
    tried = {key: each.at for key, each in verdicts.items() if each.at is not None}
    yield gauge("dhcp_probe_timestamp_seconds", "When renewals were last tried or watched.", tried, *labels)
    seen = {
        (*key, result): float(count)
        for key, found in networks.items()
        for result, count in found.renewals.items()
    }
    about = "Guests' own renewals on networks of dhcp.passive."
    yield counter("dhcp_renewals", about, seen, "network", "server", "result")
    late = {key: float(each.overdue) for key, each in networks.items() if each.overdue is not None}
    about = "Leases of running guests that were not renewed when due."
    yield gauge("dhcp_leases_overdue", about, late, "network", "server")


def _sources(published: Published) -> Iterator[Metric]:
    wanted = [each for each in published.sources if each.trouble not in _NOT_WANTED]
    up = {(each.section,): float(not each.trouble) for each in wanted}
    read = {(each.section,): each.read_at for each in wanted if each.read_at is not None}
    about = "When this part of the host was last read."
    yield gauge("source_up", "Whether this part of the host could be read.", up, "source")
    yield gauge("source_last_success_timestamp_seconds", about, read, "source")


def _acting(published: Published) -> Iterator[Metric]:
    repairs = {(each.code, each.result): float(each.count) for each in published.repairs}
    yield counter("repairs", "Steps of repairs, by what became of them.", repairs, "code", "result")
    if published.last_repair_at is not None:
        yield gauge("last_repair_timestamp_seconds", "When a step was last done.", published.last_repair_at)
    about = "From the event that showed a fault to its verified repair."
    yield histogram("repair_latency_seconds", about, published.latency)
    since = {(each.kind,): each.since for each in published.holds}
    held = {(kind,): float((kind,) in since) for kind in HOLDS}
    about = "Whether the agent does not act: paused, latched, stopped or disabled."
    yield gauge("acting_held", about, held, "kind")
    yield gauge("acting_held_since_timestamp_seconds", "Since when it does not act.", since, "kind")
    yield gauge("mutes", "How many mutes there are.", float(len(published.mutes)))
    alone: dict[tuple[str, ...], float] = {}
    for each in published.left_alone:
        alone[each.code,] = alone.get((each.code,), 0.0) + 1
    yield gauge("left_alone", "Confirmed findings that the agent does not repair.", alone, "code")
    problems = float(len(published.config_problems))
    yield gauge("config_problems", "Faults in the settings that the agent could not take up.", problems)
    if published.config_reloaded_at is not None:
        about = "When the agent last took up its settings."
        yield gauge("config_reload_timestamp_seconds", about, published.config_reloaded_at)


def _admission(admission: Admissions) -> Iterator[Metric]:
    counts = {(each.result, each.figure): float(each.count) for each in admission.counts}
    about = "Starts that libvirt's hook asked for, by what became of them and what stops them."
    yield counter("admissions", about, counts, "result", "figure")
    yield gauge("admission_pending", "Admitted starts whose memory still grows.", float(admission.pending))
    about = "Memory that admitted starts have not yet taken."
    yield gauge("admission_pending_bytes", about, float(admission.pending_bytes))
    if admission.asked_at is not None:
        yield gauge("admission_asked_timestamp_seconds", "When the hook last asked.", admission.asked_at)


def _cost(cost: LoopCost) -> Iterator[Metric]:
    wakes = {(reason,): float(count) for reason, count in cost.wakes.items()}
    yield counter("looks", "Looks at the host.", float(cost.looks))
    yield counter("look_seconds", "Time spent looking.", cost.look_seconds_sum)
    yield gauge("look_last_seconds", "How long the last look took.", cost.look_seconds_last)
    yield counter("pulses", "Questions whether libvirt and Open vSwitch still answer.", float(cost.pulses))
    yield counter("wakes", "What woke the agent's loop.", wakes, "reason")
    yield counter("agent_cpu_seconds", "Processor time of the agent.", cost.cpu_seconds)
    yield gauge("agent_resident_bytes", "Memory of the agent.", float(cost.resident_bytes))
    yield gauge("agent_threads", "Threads of the agent.", float(cost.threads))
    yield gauge("agent_open_descriptors", "Open file descriptors of the agent.", float(cost.descriptors))


class _Given:
    """What the library calls a collector, for metrics that are there already."""

    def __init__(self, metrics: tuple[Metric, ...]) -> None:
        self._metrics = metrics

    def collect(self) -> Iterable[Metric]:
        return self._metrics
