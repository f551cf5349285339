"""Who starts when: everybody at once, one after another with a delay, a fixed limit, hostagent."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from hostagent.config import Pacing
from hostagent.decide.boot import limit
from hostagent.decide.boot.queue import flights, release
from hostagent.decide.boot.samples import sample
from hostagent.decide.boot.settled import reads, watch
from hostagent.model.boot import NODE_POOL, Admit, Boot, BootState, Progress, Queue

if TYPE_CHECKING:
    from hostagent.model.boot import PoolRead
    from tests.simulator.guests import Guest
    from tests.simulator.node import Node


class Policy(Protocol):
    """Is asked once a step; what it starts, it starts."""

    def turn(self, node: Node) -> None: ...


@dataclass
class Unthrottled:
    """As the portal has it."""

    def turn(self, node: Node) -> None:
        for guest in node.storm.guests:
            if guest.started_at is None and guest.requested_at <= node.now:
                node.start(guest)


@dataclass
class Delay:
    """libvirt-guests: one after another in the order of the list, START_DELAY seconds apart."""

    seconds: float
    next_at: float = 0.0

    def turn(self, node: Node) -> None:
        if node.now < self.next_at:
            return
        for guest in node.storm.guests:
            if guest.started_at is None and guest.requested_at <= node.now:
                node.start(guest)
                self.next_at = node.now + self.seconds
                return


class Hostagent:
    """The functions of decide/boot, as the agent calls them."""

    def __init__(self, node: Node, pacing: Pacing | None = None, cores: int | None = None) -> None:
        self.pacing = pacing or Pacing()
        self.cores = cores or node.storm.cores
        self.state = limit.first(node.disk.kind, pacing=self.pacing, cores=self.cores)
        self.history: list[tuple[float, int, int, float | None]] = []
        self.timed_out = 0
        self._guests = {guest.name: guest for guest in node.storm.guests}
        self._boots: dict[str, Boot] = {}
        self._progress: dict[str, Progress] = {}
        self._before: PoolRead | None = None
        self._admitted_at: float | None = None
        self._took: list[float] = []

    def turn(self, node: Node) -> None:
        new = self._requested(node)
        ended = self._look(node) if node.now % self.pacing.sample_seconds == 0 else False
        if new or ended or node.now % self.pacing.sample_seconds == 0:
            self._release(node)

    def _requested(self, node: Node) -> bool:
        new = [
            guest
            for guest in node.storm.guests
            if guest.name not in self._boots and guest.requested_at <= node.now
        ]
        for guest in new:
            self._boots[guest.name] = _boot(guest)
        return bool(new)

    def queue(self) -> Queue:
        return Queue(
            boots=tuple(self._boots.values()),
            admitted_at=self._admitted_at,
            typical_seconds=sorted(self._took)[len(self._took) // 2] if self._took else None,
        )

    def _look(self, node: Node) -> bool:
        read, psi = node.read()
        seen = sample(self._before, read, psi_full_avg10=psi) if self._before else None
        self._before = read
        flight = flights(self.queue(), {NODE_POOL: self.state})[NODE_POOL]
        looks = {name: node.look(self._guests[name]) for name in self._progress}
        if seen:
            reading = sum(
                self._boots[name].in_flight and reads(look.iops, self.state) for name, look in looks.items()
            )
            flight = replace(flight, reading=reading)
            self.state = limit.update(self.state, seen, flight, pacing=self.pacing, cores=self.cores)
        self.history.append((node.now, self.state.limit, flight.booting, self.state.latency_seconds))
        ended = False
        for name, progress in list(self._progress.items()):
            after = watch(progress, looks[name], self.state, pacing=self.pacing)
            self._progress[name] = after
            self._boots[name] = replace(self._boots[name], quiet=after.quiet > 0)
            if after.state is not BootState.BOOTING:
                ended = True
                self.timed_out += after.state is BootState.TIMED_OUT
                self._took.append(node.now - after.started_at)
                self._boots[name] = replace(self._boots[name], state=after.state, ended_at=node.now)
                del self._progress[name]
        return ended

    def _release(self, node: Node) -> None:
        """Until nobody may start in this step; a start's spacing may reach half a step ahead."""
        now = node.now
        while now < node.now + 1:
            decided = release(
                self.queue(), {NODE_POOL: self.state}, now, pacing=self.pacing, memory=lambda _: ""
            )
            admitted = [each for each in decided if isinstance(each, Admit)]
            for each in admitted:
                node.start(self._guests[each.name])
                self._progress[each.name] = Progress(started_at=now)
                self._boots[each.name] = replace(
                    self._boots[each.name], state=BootState.BOOTING, started_at=now
                )
                self._admitted_at = now
            if not admitted:
                return
            now += self.pacing.spacing_seconds


def _boot(guest: Guest) -> Boot:
    return Boot(
        uuid=guest.name,
        name=guest.name,
        requested_at=guest.requested_at,
        state=BootState.WAITING,
        priority=guest.priority,
        after=guest.after,
    )


def fixed(node: Node, count: int, pacing: Pacing | None = None) -> Hostagent:
    """The same agent with a limit that never changes."""
    same = replace(pacing or Pacing(), first_limit=count, least_limit=count, most_limit=count)
    return Hostagent(node, same, cores=10_000)
