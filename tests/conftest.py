"""Fixtures: compute nodes for tests marked `lab`."""

from __future__ import annotations

import os
from subprocess import SubprocessError
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

from tests import lab

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

# How long an example takes says something of the machine and of what else runs on it, nothing of the code.
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")
_NODES: list[lab.Node] = []  # that are up now


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what needs a node where none can be."""
    if os.geteuid() != 0:
        for item in items:
            if item.get_closest_marker("lab"):
                item.add_marker(pytest.mark.skip(reason="the lab needs root"))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show what a failed test's nodes said last: they are gone when somebody reads it."""
    report = yield
    if report.failed:
        for node in _NODES:
            report.sections.append((f"{node.name}: the agent's log", _log(node)))
            report.sections.append((f"{node.name}: the console", _console(node)))
    return report


def _log(node: lab.Node) -> str:
    try:
        return node.out(*"journalctl -q -u hostagent.service -o short-precise -n 300".split())
    except (lab.LabError, OSError, SubprocessError) as error:
        return str(error)


def _console(node: lab.Node) -> str:
    try:
        return node.console.read_text(errors="replace")[-3000:]
    except OSError as error:
        return str(error)


@pytest.fixture(scope="module")
def make_node() -> Iterator[Callable[..., lab.Node]]:
    """Return a function that makes a fresh node: make_node("a"), make_node("b", bare=True), and
    make_node("c", agent=True) with the daemon running, which would repair what other tests break.

    The nodes are taken down after the module; if pytest is killed, by the next call of the lab.
    """
    before = len(_NODES)

    def make(name: str, *, bare: bool = False, agent: bool = False) -> lab.Node:
        lab.down_if_there(name)  # of a run that was killed and whose pid lives on, or of somebody's hand
        node = lab.Node(name)
        _NODES.append(node)
        return lab.up(name, bare=bare, agent=agent, owner=os.getpid())

    yield make
    for node in _NODES[before:]:
        lab.down_if_there(node.name)
    del _NODES[before:]


@pytest.fixture(scope="module")
def node(request: pytest.FixtureRequest, make_node: Callable[..., lab.Node]) -> lab.Node:
    """Return a fresh node for the module, named after it."""
    return make_node(request.module.__name__.rpartition(".")[2].replace("_", "-").lower())
