"""The node: steps of one second in which guests, disk and processors meet."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from hostagent.model.boot import DiskStats, GuestLook, PoolRead
from tests.simulator.guests import IDLE_IOPS

if TYPE_CHECKING:
    from random import Random

    from tests.simulator.disk import Disk
    from tests.simulator.guests import Guest, Phase, Storm

STEP_SECONDS = 1.0
THINK_SECONDS = 0.1  # of a running guest, between two requests


class Node:
    """What happens, and what bulk statistics would show of it."""

    def __init__(self, disk: Disk, storm: Storm, rng: Random) -> None:
        self.disk, self.storm, self.now = disk, storm, 0.0
        self.latencies: list[tuple[float, float]] = []  # of each step: latency, requests of running guests
        self._rng = rng
        self._booting: list[Guest] = []
        self.up: list[Guest] = []
        self._latency = disk.service_seconds
        self._contention = 1.0
        self._slower = 1.0
        self._background = [0.0, 0.0]
        self._looked: dict[str, tuple[float, float, float]] = {}
        self._psi = 0.0

    def start(self, guest: Guest) -> None:
        guest.start(self.now)
        self._looked[guest.name] = (self.now, 0.0, 0.0)
        self._booting.append(guest)

    def step(self) -> None:
        phases = Counter((guest.profile.name, guest.phase) for guest in self._booting)
        first = {(guest.profile.name, guest.phase): guest for guest in self._booting}
        by_key = {
            key: (guest.profile.phases[guest.phase], guest.profile.vcpus) for key, guest in first.items()
        }
        think = {key: self._think(*each) for key, each in by_key.items()}
        demand = [(count * by_key[key][0].depth, think[key]) for key, count in phases.items()]
        running = self.storm.running_iops * THINK_SECONDS
        demand += [(running, THINK_SECONDS), (len(self.up) * IDLE_IOPS / 2, 0.5)]
        self._slower = max(0.3, 1 + 0.9 * (self._slower - 1) + self._rng.gauss(0, self.disk.noise * 0.44))
        self._latency = latency = self.disk.latency(
            demand, len(self._booting), slower=self._slower, guess=self._latency
        )
        self.now += STEP_SECONDS
        rates = {key: by_key[key][0].depth / (think[key] + latency) for key in phases}
        used = sum(count * rates[key] * by_key[key][0].cpu_seconds for key, count in phases.items())
        self._contention = max(1.0, self._contention * 0.5 + 0.5 * used * self._contention / self.storm.cores)
        self._booted(rates, latency)
        done = running / (THINK_SECONDS + latency) * STEP_SECONDS
        self.latencies.append((latency, done))
        self._background[0] += done
        self._background[1] += done * latency
        self._pressure(rates, by_key, phases)

    def _think(self, phase: Phase, vcpus: int) -> float:
        return phase.depth * phase.cpu_seconds * self._contention / vcpus

    def _booted(self, rates: dict[tuple[str, int], float], latency: float) -> None:
        for guest in self.up:
            guest.idle(STEP_SECONDS, latency)
        still: list[Guest] = []
        for guest in self._booting:
            guest.advance(rates[guest.profile.name, guest.phase] * STEP_SECONDS, latency, self.now)
            (still if guest.up_at is None else self.up).append(guest)
        self._booting = still

    def _pressure(
        self,
        rates: dict[tuple[str, int], float],
        by_key: dict[tuple[str, int], tuple[Phase, int]],
        phases: Counter[tuple[str, int]],
    ) -> None:
        """PSI io full: somebody waits for I/O and nobody computes, as if every guest were one task."""
        nobody = 0.99**self.storm.running
        for key, count in phases.items():
            phase, vcpus = by_key[key]
            nobody *= (1 - min(1.0, rates[key] * phase.cpu_seconds / vcpus)) ** count
        full = 100 * nobody if phases else 0.0
        self._psi += (full - self._psi) * (1 - 2.718281828 ** (-STEP_SECONDS / 10))

    def read(self) -> tuple[PoolRead, float]:
        """All disks' counters, as libvirt's bulk statistics sum them up, and PSI."""
        disks = {
            guest.name: DiskStats(requests=int(guest.requests), busy_seconds=guest.busy_seconds)
            for guests in (self._booting, self.up)
            for guest in guests
        }
        disks["running"] = DiskStats(requests=int(self._background[0]), busy_seconds=self._background[1])
        return PoolRead(at=self.now, disks=disks), self._psi

    def look(self, guest: Guest) -> GuestLook:
        """What is seen of one guest since the look before."""
        at, requests, cpu = self._looked[guest.name]
        self._looked[guest.name] = (self.now, guest.requests, guest.cpu_seconds)
        seconds = max(self.now - at, STEP_SECONDS)
        return GuestLook(
            at=self.now,
            iops=(guest.requests - requests) / seconds,
            vcpu_share=(guest.cpu_seconds - cpu) / seconds / guest.profile.vcpus,
            agent=guest.has_agent and guest.up_at is not None,
        )
