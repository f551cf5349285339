"""A pacer without threads, that can be killed anywhere."""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from typing import TYPE_CHECKING

from hostagent.act.boot.held import HeldList
from hostagent.config import Pacing, Settings
from hostagent.daemon.boots.beginning import Beginning, as_saved
from hostagent.daemon.boots.looks import Looks
from hostagent.daemon.boots.messages import Sampled
from hostagent.daemon.boots.progress import sampled
from hostagent.daemon.boots.saved import keep
from hostagent.daemon.boots.sight import Sight
from hostagent.daemon.boots.slowing import Slowing
from hostagent.daemon.boots.state import State
from hostagent.daemon.boots.turns import Turns
from hostagent.daemon.boots.work import carry_out

if TYPE_CHECKING:
    from pathlib import Path

    from hostagent.daemon.boots.saved import Saved
    from hostagent.daemon.boots.work import Job
    from tests.unit.daemon.boots.world import World

PACING = Pacing(first_limit=3, least_limit=1, most_limit=6, spacing_seconds=0.2, quiet_after_seconds=5)


class Machine:
    """The pacer's parts in one thread; another one on the same directories is the agent after it."""

    def __init__(self, world: World, path: Path, pacing: Pacing = PACING) -> None:
        settings = Settings(boot=pacing)
        settings = replace(
            settings, paths=replace(settings.paths, state_dir=str(path / "lib"), run_dir=str(path / "run"))
        )
        self.world = world
        self.state = State(settings=settings, held=HeldList(settings.paths.state_dir), boot_id="boot")
        self.looks = Looks(self.state, world, world.saved)
        self.jobs: deque[Job] = deque()
        self.slowing = Slowing(self.state, self.looks, self.jobs.append)
        self.turns = Turns(
            self.state,
            self.looks,
            world,
            self.slowing,
            order=self.jobs.append,
            fits=lambda _: "",
        )
        self.sight = Sight(self.state, self.looks)
        self.beginning = Beginning(self.state, self.looks)
        self.beginning.recall()
        self.sampled_at = world.now
        self.saved: Saved | None = None

    def step(self, *, jobs: int = 100, early: bool = False) -> None:
        """One round, in which at most so many orders are carried out, ``early`` before the queue is saved.

        Raises:
            Killed: where the world says so.
        """
        if not early:
            self._work(jobs)
        while self.world.events:
            self.sight.told(self.world.events.popleft())
        if self.world.now >= self.sampled_at + self.state.pacing.sample_seconds:
            self.sampled_at = self.world.now
            seen = Sampled(figures=self.world.figures(), disks={}, full_avg10=0.0, at=self.world.now)
            sampled(self.state, seen, self.slowing.end)
        self.sight.look(self.world.now, self.beginning.seen_all)
        self.turns.turn(self.world.now)
        self.beginning.started()
        if early:
            self._work(jobs)
        if (saved := as_saved(self.state)) != self.saved:
            self.saved = saved
            keep(self.state.settings.paths.run_dir, saved)

    def _work(self, jobs: int) -> None:
        for _ in range(min(jobs, len(self.jobs))):
            self.turns.did(carry_out(self.world, self.jobs.popleft()), self.world.now)
