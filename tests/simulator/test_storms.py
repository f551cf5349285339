"""What pacing does to a storm, as far as a test has time; tests.soak_boot_simulator has all of it."""

from __future__ import annotations

from random import Random

import pytest

from hostagent.model.boot import BootState
from tests.simulator.compare import compare
from tests.simulator.disk import STORM, Disk
from tests.simulator.guests import LINUX, Guest, Storm, windows_storm
from tests.simulator.node import Node
from tests.simulator.play import play
from tests.simulator.policies import Hostagent, Unthrottled


def test_unthrottled_the_storm_is_the_one_that_was_measured() -> None:
    """300 guests: 0.2 s a request, forty minutes."""
    storm = play(STORM, windows_storm(Random(1)), lambda _: Unthrottled())
    assert storm.running_mean == pytest.approx(0.2, rel=0.1)
    assert storm.makespan == pytest.approx(2400, rel=0.1)
    few = play(STORM, windows_storm(Random(1), 2), lambda _: Unthrottled())
    assert 120 <= few.makespan <= 300


def test_paced_the_storm_leaves_running_guests_alone_and_gives_most_guests_an_early_desktop() -> None:
    """The median can't be less than half of all: the disk does not get faster by waiting."""
    storm = windows_storm(Random(1))
    unthrottled = play(STORM, storm, lambda _: Unthrottled())
    agents: list[Hostagent] = []

    def hostagent(node: Node) -> Hostagent:
        agents.append(Hostagent(node))
        return agents[-1]

    paced = play(STORM, storm, hostagent)
    assert unthrottled.running_p99 > 0.2
    assert paced.running_p99 <= 0.03
    assert paced.median <= 0.6 * unthrottled.median
    assert paced.makespan <= 1.1 * unthrottled.makespan
    assert paced.left_behind == 0
    assert max(booting for _, _, booting, _ in agents[0].history) <= 64


@pytest.mark.parametrize("seed", range(6))
def test_no_fixed_limit_is_much_better_on_random_arrays_and_mixes(seed: int) -> None:
    found = compare(seed, guests=60, limits=(4, 8, 16, 32, 64))
    assert found.left_behind == 0
    assert found.ratio <= 1.15, str(found)


def random_graph(rng: Random) -> list[Guest]:
    """Guests that start after up to three of those before them, then shuffled."""
    guests = [Guest(f"g{n}", LINUX, rng.uniform(0.3, 1.0), priority=rng.randint(0, 3)) for n in range(12)]
    for number, guest in enumerate(guests):
        earlier = [each.name for each in guests[:number]]
        guest.after = tuple(rng.sample(earlier, min(len(earlier), rng.randint(0, 3))))
        guest.has_agent = rng.random() < 0.5
    rng.shuffle(guests)
    return guests


def test_order_holds_in_random_graphs_of_dependencies() -> None:
    for seed in range(100):
        rng = Random(seed)
        storm = Storm(guests=random_graph(rng), running=2, running_iops=20)
        disk = Disk(name="ssd", kind=STORM.kind, servers=8, service_seconds=0.001)
        node = Node(disk, storm, rng)
        agent = Hostagent(node)
        while len(node.up) < len(storm.guests) and node.now < 7200:
            agent.turn(node)
            node.step()
        boots = {boot.name: boot for boot in agent.queue().boots}
        assert len(node.up) == len(boots)
        for boot in boots.values():
            for name in boot.after:
                parent = boots[name]
                assert parent.state is BootState.SETTLED
                assert parent.ended_at is not None
                assert boot.started_at is not None
                assert boot.started_at >= parent.ended_at
