"""The table [boot]: how guest starts are paced. docs/adr/0011 has the figures behind the defaults."""

from __future__ import annotations

from dataclasses import dataclass

from hostagent.config.key import key


@dataclass(frozen=True, slots=True, kw_only=True)
class Pacing:
    """Boot storms: how many guests may boot at once, and when one has settled."""

    enabled: bool = key(default=True, about="hold and pace guest starts, those that a manager runs excepted")
    target_nvme_seconds: float = key(
        0.005, "the latency that running guests keep on NVMe disks", least=0.0001, most=10
    )
    target_ssd_seconds: float = key(0.02, "the same on solid-state disks", least=0.0001, most=10)
    target_spinning_seconds: float = key(0.04, "the same on spinning disks", least=0.0001, most=10)
    target_other_seconds: float = key(
        0.02, "the same on all other storage: arrays, networks, unknown", least=0.0001, most=10
    )
    first_limit: int = key(
        8, "how many guests of a pool may boot at once before it was measured", least=1, most=1000
    )
    least_limit: int = key(1, "the limit never falls below this", least=1, most=1000)
    most_limit: int = key(
        64, "the limit never rises above this, nor above twice the cores", least=1, most=1000
    )
    spacing_seconds: float = key(0.5, "between two starts", least=0, most=60)
    sample_seconds: float = key(5.0, "between two samples of a pool's latency", least=1, most=60)
    sample_requests: int = key(
        50, "a sample with fewer completed requests says nothing about latency", least=1, most=1_000_000
    )
    average_seconds: float = key(10.0, "over how long the latency is averaged", least=0.1, most=600)
    cut_latency_ratio: float = key(
        1.5, "the limit falls when latency is above this many times the target", least=1, most=100
    )
    cut_share: float = key(0.7, "to this part of itself, or further by Little's law", least=0.01, most=0.99)
    cut_seconds: float = key(15.0, "between two falls", least=1, most=600)
    psi_percent: float = key(
        40.0,
        "I/O pressure (full avg10) at which the limit falls, unless latency is known and below its target",
        least=1,
        most=100,
    )
    grow_share: float = key(
        0.125, "of the room below the target latency, how much of it the limit rises by", least=0, most=1
    )
    grow_near_seconds: float = key(20.0, "between two rises near the target, by one each", least=1, most=600)
    sink_seconds: float = key(
        10.0, "between two falls by one, while latency is above the target", least=1, most=600
    )
    grow_seconds: float = key(5.0, "between two rises far below it", least=1, most=600)
    agent_seconds: float = key(
        10.0, "a guest has settled so long after its guest agent answered", least=0, most=3600
    )
    quiet_after_seconds: float = key(
        20.0, "a guest without agent and lease is not taken for quiet before", least=0, most=3600
    )
    quiet_io_share: float = key(
        0.1, "quiet is I/O of at most this part of the guest's own peak", least=0, most=1
    )
    quiet_vcpu_share: float = key(0.25, "and at most this part of its vCPUs' time", least=0, most=1)
    quiet_samples: int = key(
        3, "a guest has settled after so many quiet samples in a row", least=1, most=1000
    )
    quiet_latency_ratio: float = key(
        1.0,
        "above this many times the target nothing is taken for quiet: all guests look so",
        least=0.1,
        most=100,
    )
    timeout_seconds: float = key(
        600.0,
        "a boot that took longer is counted as timed out, and the next may start",
        least=10,
        most=86_400,
    )
    aging_seconds: float = key(
        600.0, "so much waiting raises a guest's priority by one", least=1, most=86_400
    )
    dependency_seconds: float = key(
        600.0, "how long a guest waits for one that is gone or timed out", least=1, most=86_400
    )
    typical_seconds: float = key(
        120.0, "how long a boot takes, for expected waits, before one was seen", least=1, most=3600
    )
    managed: tuple[str, ...] = key(
        (),
        "names of domains that something else runs, Pacemaker for instance, as patterns of a shell:"
        " counted and never held, like those of nova, oVirt and OpenNebula",
    )
    slow_managed: bool = key(
        default=False,
        about="slow boots of managers (nova, oVirt, OpenNebula) over the limit, by I/O limits for a time",
    )
    slow_iops: int = key(
        100, "what such a boot may do, in requests a second and disk", least=10, most=1_000_000
    )
