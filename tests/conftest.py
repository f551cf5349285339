"""Fixtures: compute nodes for tests marked `lab`."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

from tests import lab

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# How long an example takes says something of the machine and of what else runs on it, nothing of the code.
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what needs a node where none can be."""
    if os.geteuid() != 0:
        for item in items:
            if item.get_closest_marker("lab"):
                item.add_marker(pytest.mark.skip(reason="the lab needs root"))


@pytest.fixture(scope="module")
def make_node() -> Iterator[Callable[..., lab.Node]]:
    """Return a function that makes a fresh node: make_node("a"), make_node("b", bare=True), and
    make_node("c", agent=True) with the daemon running, which would repair what other tests break.

    The nodes are taken down after the module; if pytest is killed, by the next call of the lab.
    """
    made: list[lab.Node] = []

    def make(name: str, *, bare: bool = False, agent: bool = False) -> lab.Node:
        lab.down_if_there(name)  # of a run that was killed and whose pid lives on, or of somebody's hand
        node = lab.Node(name)
        made.append(node)
        return lab.up(name, bare=bare, agent=agent, owner=os.getpid())

    yield make
    for node in made:
        lab.down_if_there(node.name)


@pytest.fixture(scope="module")
def node(request: pytest.FixtureRequest, make_node: Callable[..., lab.Node]) -> lab.Node:
    """Return a fresh node for the module, named after it."""
    return make_node(request.module.__name__.rpartition(".")[2].replace("_", "-").lower())
