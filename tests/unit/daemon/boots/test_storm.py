"""Storms on a clock of their own: an agent that dies anywhere, persons that interfere, managers."""

from __future__ import annotations

import os
from random import Random
from typing import TYPE_CHECKING

import pytest

from hostagent.act.boot.held import HeldList
from hostagent.config import Pacing
from hostagent.model.boot_wish import BootWish
from hostagent.model.guests import Manager
from tests.unit.daemon.boots.machine import PACING, Machine
from tests.unit.daemon.boots.world import Killed, World

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.usefixtures("no_disk")
NAMES = [f"g{number:02}" for number in range(20)]
STEP = 0.25
LONGEST = 1600


@pytest.fixture(name="no_disk")
def without_fsync(monkeypatch: pytest.MonkeyPatch) -> None:
    """No power is cut here: what is written need not wait for the disk."""
    monkeypatch.setattr(os, "fsync", lambda _: None)


def booting(machine: Machine) -> int:
    """How many guests take a place of the limit."""
    return sum(run.boot.in_flight for run in machine.state.runs.boots.values())


def play(machine: Machine, *, until: float) -> int:
    """Go on until then; the most that were under way at once."""
    most = 0
    while machine.world.now < until:
        machine.world.pass_by(STEP)
        machine.step()
        limit = max(each.limit for each in machine.state.limits.values()) if machine.state.limits else 99
        assert booting(machine) <= max(limit, most), "more than the limit"
        most = max(most, booting(machine))
    return most


def test_a_storm_is_held_paced_and_over(tmp_path: Path) -> None:
    world = World(NAMES)
    machine = Machine(world, tmp_path)
    machine.step()
    for uuid in world.domains:
        world.begin(uuid)
    machine.step()
    assert sum(each.paused for each in world.domains.values()) == 19, "one at a time, by the spacing"
    assert {each.uuid for each in machine.state.held.entries} == {
        each.uuid for each in world.domains.values() if each.paused
    }
    assert play(machine, until=400.0) <= 6
    assert not any(each.paused for each in world.domains.values())
    assert all(each.ran > 30 for each in world.domains.values())
    assert (machine.state.held.entries, machine.state.runs.boots) == ((), {})
    assert machine.state.settled.count == 20


def test_the_limit_does_not_rise_while_nobody_has_been_seen_to_read(tmp_path: Path) -> None:
    """Before the first rates of new guests are known the disk looks free."""
    world = World(NAMES[:8])
    machine = Machine(world, tmp_path)
    machine.step()
    world.begin("uuid-g00")
    play(machine, until=60.0)
    for uuid in world.domains:
        world.begin(uuid)
    machine.step()
    assert play(machine, until=66.0) == 3
    assert {pool: each.limit for pool, each in machine.state.limits.items()} == {"node": 3}


def plain(machine: Machine) -> list[str]:
    """Domains that a person may pause: until a suspension is noted nobody can tell one from the other."""
    held = HeldList(machine.state.settings.paths.state_dir).entries
    return sorted(machine.world.domains.keys() - {one.uuid for one in held if one.vcpu_seconds is None})


@pytest.mark.parametrize("seed", range(16))
def test_killed_anywhere_it_leaves_nobody_paused_and_resumes_no_persons(seed: int, tmp_path: Path) -> None:
    random = Random(seed)
    world = World(NAMES)
    machine = Machine(world, tmp_path)
    kills = 0
    starts = sorted((random.uniform(0, 20), uuid) for uuid in world.domains)
    for _ in range(LONGEST):
        world.pass_by(STEP)
        while starts and starts[0][0] <= world.now:
            world.begin(starts.pop(0)[1], paused=random.random() < 0.1)
        if random.random() < 0.02:
            # A suspend of a guest that is paused already is none (libvirt), so only of one that runs.
            world.person(random.choice(plain(machine)), pause=world.now < 100)
        if world.fuse is None and world.now < 150 and random.random() < 0.2:
            world.fuse = random.randrange(12)
        try:
            machine.step(jobs=random.randrange(4))
        except Killed:
            kills += 1
            world.events.clear()  # whoever was not there hears of nothing
            known = plain(machine)
            for _ in range(random.randrange(20)):
                world.pass_by(STEP)
                if random.random() < 0.2:
                    world.person(random.choice(known), pause=random.random() < 0.5)
            machine = Machine(world, tmp_path)
    assert kills > 3
    ours = [each.name for each in world.domains.values() if each.paused and not each.person]
    assert (ours, world.resumed_of_persons) == ([], 0)
    assert machine.state.held.entries == ()


SLOWING = Pacing(
    first_limit=2,
    least_limit=2,
    most_limit=2,
    spacing_seconds=0.0,
    quiet_after_seconds=5,
    slow_managed=True,
)


def test_what_a_manager_runs_is_counted_slowed_where_wished_and_given_back(tmp_path: Path) -> None:
    world = World(NAMES[:8], managers=frozenset({Manager.NOVA}))
    machine = Machine(world, tmp_path, SLOWING)
    machine.step()
    for uuid in world.domains:
        world.begin(uuid)
    machine.step()
    machine.step()
    assert sum(bool(each.limit) for each in world.domains.values()) == 6
    assert (booting(machine), machine.state.runs.counts["managed"]) == (8, 8)
    while world.now < 90.0:
        world.pass_by(STEP)
        machine.step()
        assert not any(each.paused for each in world.domains.values())
    assert [each.limit for each in world.domains.values()] == [0] * 8
    assert machine.state.held.entries == ()


@pytest.mark.parametrize("seed", range(20))
def test_killed_anywhere_it_leaves_no_limit(seed: int, tmp_path: Path) -> None:
    """Not even where libvirt does what a dead agent asked for after the next one has looked."""
    random = Random(seed)
    world = World(NAMES[:8], managers=frozenset({Manager.NOVA}))
    machine = Machine(world, tmp_path, SLOWING)
    machine.step()
    starts = sorted((random.uniform(0, 30), uuid) for uuid in world.domains)
    slowed: set[str] = set()
    while world.now < 200.0:
        world.pass_by(STEP)
        while starts and starts[0][0] <= world.now:
            world.begin(starts.pop(0)[1])
        if world.fuse is None and world.now < 60 and random.random() < 0.2:
            world.fuse = random.randrange(12)
        try:
            machine.step(jobs=random.randrange(3), early=random.random() < 0.5)
        except Killed:
            world.events.clear()
            machine = Machine(world, tmp_path, SLOWING)
        slowed |= {each.name for each in world.domains.values() if each.limit}
        assert not any(each.paused for each in world.domains.values())
        if world.now >= 60:
            world.fuse = None
    assert slowed
    assert [each.limit for each in world.domains.values()] == [0] * 8
    assert machine.state.held.entries == ()


def test_adopted_guests_are_started_once_in_order_also_by_an_agent_that_dies(tmp_path: Path) -> None:
    for seed in range(5):
        random = Random(seed)
        world = World(NAMES[:6], wish=BootWish(adopted=True))
        world.domains["uuid-g00"].wish = BootWish(adopted=True, after=("g05",))
        world.domains["uuid-g05"].wish = BootWish(adopted=True, priority=9)
        machine = Machine(world, tmp_path / str(seed), PACING)
        order: list[str] = []
        for _ in range(1000):
            world.pass_by(STEP)
            if world.fuse is None and world.now < 60 and random.random() < 0.1:
                world.fuse = random.randrange(10)
            try:
                machine.step()
            except Killed:
                world.events.clear()
                machine = Machine(world, tmp_path / str(seed), PACING)
            order += [
                each.name for each in world.domains.values() if each.id is not None and each.name not in order
            ]
        assert (order[0], sorted(order)) == ("g05", NAMES[:6])
        assert order.index("g00") > 0
        assert world.domains["uuid-g00"].ran < world.domains["uuid-g05"].ran - 5, (
            "it waited until that settled"
        )
        world.fuse = None
        world.domains["uuid-g03"].id = None  # shut off by a person: it stays off
        machine = Machine(world, tmp_path / str(seed), PACING)
        for _ in range(100):
            world.pass_by(STEP)
            machine.step()
        assert world.domains["uuid-g03"].id is None
        assert not any(each.paused for each in world.domains.values())
