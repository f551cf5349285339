"""Guests: what each does to the disk while it boots, as measured, and when it is up."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from random import Random


@dataclass(frozen=True, slots=True)
class Phase:
    """A part of a boot: its I/Os, how many of them are kept outstanding, and the CPU time between them."""

    requests: float
    depth: float
    cpu_seconds: float


@dataclass(frozen=True, slots=True)
class Profile:
    """One kind of guest."""

    name: str
    vcpus: int
    phases: tuple[Phase, ...]


# Windows 7 reads 500 to 600 MB in 62,000 to 70,000 I/Os within 2 to 5 minutes. In a storm of 300 these depths
# keep 5.6 requests of each outstanding: 0.19 s on an array of 8,750 IOPS, which is what was measured.
WINDOWS = Profile(
    "windows",
    2,
    (
        Phase(1_000, 1, 0.010),  # firmware, boot manager
        Phase(14_000, 4, 0.0008),  # kernel and drivers
        Phase(30_000, 8, 0.0015),  # services
        Phase(20_000, 6, 0.0025),  # desktop
    ),
)
LINUX = Profile("linux", 2, (Phase(300, 1, 0.015), Phase(2_500, 2, 0.001), Phase(4_000, 4, 0.004)))
DATABASE = Profile("database", 4, (Phase(300, 1, 0.015), Phase(4_000, 2, 0.002), Phase(60_000, 16, 0.0005)))
PROFILES = (WINDOWS, LINUX, DATABASE)


@dataclass(slots=True)
class Guest:
    """A guest in the storm; counters as bulk statistics have them."""

    name: str
    profile: Profile
    scale: float  # of its number of I/Os
    requested_at: float = 0.0
    has_agent: bool = False
    priority: int = 0
    after: tuple[str, ...] = ()
    phase: int = 0
    left: float = 0.0
    started_at: float | None = None
    up_at: float | None = None
    requests: float = 0.0
    busy_seconds: float = 0.0
    cpu_seconds: float = 0.0

    def start(self, now: float) -> None:
        self.started_at = now
        self.left = self.profile.phases[0].requests * self.scale

    def advance(self, done: float, latency: float, now: float) -> None:
        """``done`` requests of this phase completed."""
        phase = self.profile.phases[self.phase]
        self.requests += done
        self.busy_seconds += done * latency
        self.cpu_seconds += done * phase.cpu_seconds
        self.left -= done
        if self.left <= 0:
            self.phase += 1
            if self.phase == len(self.profile.phases):
                self.up_at = now
            else:
                self.left = self.profile.phases[self.phase].requests * self.scale

    def idle(self, seconds: float, latency: float) -> None:
        """It is up: an I/O a second and a bit of a processor."""
        self.requests += IDLE_IOPS * seconds
        self.busy_seconds += IDLE_IOPS * seconds * latency
        self.cpu_seconds += 0.04 * seconds


IDLE_IOPS = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Storm:
    """Who boots, beside whom: ``running`` guests do ``running_iops`` together while the disk lets them."""

    guests: list[Guest] = field(default_factory=list)
    running: int = 0
    running_iops: float = 0.0
    cores: int = 64


def windows_storm(rng: Random, count: int = 300) -> Storm:
    """The storm: Windows guests at once, beside 20 that run."""
    guests = [
        Guest(f"win{number:03}", WINDOWS, rng.uniform(0.954, 1.077), has_agent=rng.random() < 0.5)
        for number in range(count)
    ]
    return Storm(guests=guests, running=20, running_iops=100)


def random_storm(rng: Random, count: int, *, most_iops: float) -> Storm:
    """A mix as somebody might have it; some come all at once, some within minutes."""
    weights = [rng.random() for _ in PROFILES]
    over = rng.choice((0.0, 0.0, 60.0, 300.0))
    guests = [
        Guest(
            f"guest{number:03}",
            rng.choices(PROFILES, weights)[0],
            rng.uniform(0.6, 1.5),
            requested_at=rng.uniform(0, over),
            has_agent=rng.random() < 0.5,
        )
        for number in range(count)
    ]
    running = rng.randint(2, 60)
    return Storm(
        guests=guests,
        running=running,
        running_iops=min(running * rng.uniform(2, 15), most_iops),
        cores=rng.choice((16, 32, 64, 128)),
    )
