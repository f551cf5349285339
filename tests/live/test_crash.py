"""SIGKILL of fix at every journal and transaction boundary and at random moments; daemons that die meanwhile.

The full counts run as ``make soak-repair``.
"""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

import pytest

from tests.live.look import rows
from tests.live.wreck import PROXIED, Wreck, wreck

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.lab import Node

pytestmark = pytest.mark.lab
SEED = 20261122


@pytest.fixture(scope="module")
def broken(make_node: Callable[[str], Node]) -> Wreck:
    return wreck(make_node, "wreck")


def test_killed_at_every_journal_boundary(broken: Wreck) -> None:
    """Each fdatasync of the journal, one after the other, until one run gets through."""
    for when in range(1, 40):
        broken.break_it()
        struck = broken.killed_at("fdatasync", when)
        broken.recovered("fix" if when % 2 else "undo")
        if not struck:
            break
    assert 5 < when < 40, "the journal is synced at more than five points, and the run ends"


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("kind", ["first", "second"])
def test_killed_at_each_transaction(broken: Wreck, kind: str, when: str) -> None:
    for how in ("fix", "undo"):
        broken.break_it()
        with broken.struck(kind, when, "kill"):
            done = broken.fix(config=PROXIED)
        assert done.returncode not in {0, 11, 12}, "it was killed"
        broken.recovered(how)


def test_killed_at_random_moments(broken: Wreck) -> None:
    rng = Random(SEED)
    struck = 0
    for turn in range(10):
        broken.break_it()
        struck += broken.killed_after(rng.uniform(0.15, 0.9))
        broken.recovered("fix" if turn % 2 else "undo")
    assert struck


@pytest.mark.parametrize(
    "strike",
    [
        "kill -KILL $PID",  # systemd starts it again
        "kill -STOP $PID; (sleep 3; kill -CONT $PID) >/dev/null 2>&1 &",
        "systemctl restart ovsdb-server.service",  # takes vswitchd along
    ],
)
def test_ovsdb_server_lost_between_the_transactions(broken: Wreck, strike: str) -> None:
    for kind, when in (("first", "after"), ("second", "before")):
        broken.break_it()
        words = strike.replace("$PID", "$(cat /run/openvswitch/ovsdb-server.pid)")
        with broken.struck(kind, when, "sh", "-c", words):
            broken.fix(config=PROXIED)
        broken.node.run(
            "sh", "-c", "until ovs-vsctl --timeout=5 show && ovs-appctl version; do sleep 0.2; done"
        )
        broken.recovered("fix")


def test_vswitchd_hung_at_the_barrier(broken: Wreck) -> None:
    """The rows are added back although the barrier is missed."""
    broken.break_it()
    stop = "kill -STOP $(cat /run/openvswitch/ovs-vswitchd.pid)"
    with broken.struck("first", "after", "sh", "-c", stop):
        done = broken.fix(config=PROXIED)
    broken.node.run("sh", "-c", stop.replace("STOP", "CONT"))
    assert done.returncode in {11, 12}, done.stdout + done.stderr
    assert "tapdeaf" in broken.node.run("ovs-vsctl", "list-ports", "br-int").stdout
    broken.recovered("fix")


@pytest.mark.parametrize("options", ["size=4k", "ro"])
def test_no_room_for_the_journal(broken: Wreck, options: str) -> None:
    """Full or read-only: then nothing is done at all, with that reason."""
    broken.break_it()
    folder = "/var/lib/hostagent/journal"
    broken.node.run("mount", "-t", "tmpfs", "-o", f"mode=0700,{options}", "none", folder)
    try:
        if options != "ro":
            broken.node.run("sh", "-c", f"head -c 4096 /dev/zero > {folder}/fill || true")
        done = broken.fix()
    finally:
        broken.node.run("umount", folder)
    assert done.returncode == 12
    assert f"{folder}/" in done.stdout + done.stderr, "the reason names the journal"
    assert "Traceback" not in done.stdout + done.stderr
    assert rows(broken.node) == broken.broken
    broken.recovered("fix")
