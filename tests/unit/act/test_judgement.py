"""Second thoughts before acting, and the verdict after it, on Snapshots as data."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from hostagent.act.build import transition
from hostagent.act.recheck import objection, world_of
from hostagent.act.verify import unfit, wanted_back
from hostagent.decide.ready import busy
from hostagent.errors import RefusedError
from hostagent.model.guests import DomainState
from hostagent.model.plan import StepKind
from hostagent.model.ports import Ovs
from tests.unit.act.data import NewUuids, db, interface, port, step
from tests.unit.act.snapshots import GONE, GUEST, row, snapshot

if TYPE_CHECKING:
    from hostagent.act.rows import Database


@pytest.mark.parametrize("section", ["domains", "ovs", "links", "vswitchd"])
def test_nothing_without_a_section(section: str) -> None:
    unread: dict[str, Any] = {section: GONE}
    with pytest.raises(RefusedError, match=f"without {section}: nobody answers"):
        world_of(replace(snapshot(), **unread))


def test_nothing_while_flows_are_restored() -> None:
    found = snapshot()
    assert isinstance(found.ovs, Ovs)
    with pytest.raises(RefusedError, match="flow-restore-wait"):
        world_of(replace(found, ovs=replace(found.ovs, flow_restore_wait=True)))


@pytest.mark.parametrize(
    ("kind", "changed", "words"),
    [
        (StepKind.READD_PORT, {}, ""),
        (StepKind.READD_PORT, {"domains": ()}, "gone"),
        (StepKind.READD_PORT, {"tap": False}, "not the one"),
        (StepKind.DELETE_PORT, {"domains": (), "tap": False}, ""),
        (StepKind.DELETE_PORT, {"domains": ()}, "being started"),
        (StepKind.DELETE_PORT, {"tap": False}, "web is running with vnet1"),
        (StepKind.READD_PORT, {"domains": (replace(GUEST, job="outgoing migration"),)}, "active job"),
        (
            StepKind.READD_PORT,
            {"domains": (replace(GUEST, state=DomainState.PAUSED, reason="migration"),)},
            "paused for migration",
        ),
        (StepKind.DELETE_TAP, {"domains": ()}, ""),
        (StepKind.DELETE_TAP, {"domains": (), "tap_holders": {"vnet1": (9,)}}, "process 9 holds"),
        (StepKind.DELETE_TAP, {"domains": (), "tap_holders": GONE}, "nobody knows"),
        (StepKind.DELETE_TAP, {}, "web is running"),
    ],
)
def test_second_thoughts(kind: StepKind, changed: dict[str, Any], words: str) -> None:
    found = objection(step(kind, "vnet1", ifindex=7, domain="v"), world_of(snapshot(**changed)))
    assert words in found
    assert bool(words) == bool(found)


def test_the_guest_that_runs_with_a_tap_counts_whatever_its_row_says() -> None:
    other = replace(GUEST, uuid="w", job="outgoing migration")
    assert "active job" in busy("vnet1", world_of(snapshot(domains=(other,))))
    assert "active job" in busy("vnet1", world_of(snapshot(domains=(replace(other, uuid="v"),))))
    assert busy("vnet1", world_of(snapshot())) == ""


def test_opted_out_meanwhile() -> None:
    found = snapshot()
    assert isinstance(found.ovs, Ovs)
    out = replace(found, ovs=replace(found.ovs, ports={"vnet1": row(hostagent="ignore")}))
    assert "not ours" in objection(step(StepKind.READD_PORT, "vnet1", ifindex=7), world_of(out))


def changed_to(kind: StepKind) -> tuple[Any, Database]:
    """A step's transition and the database after it."""
    data = db({"br-int": [port("vnet1")]}, interfaces=(interface("vnet1"),))
    each = transition(1, step(kind, "vnet1"), data, NewUuids())
    rows = each.after.port
    if rows is None:
        return each, db({"br-int": []})
    now = interface("x") | rows.interfaces[0]
    return each, db({"br-int": [port("vnet1") | rows.port]}, interfaces=(now,))


@pytest.mark.parametrize(
    ("found", "words"),
    [
        ({}, ""),
        ({"served": None}, "datapath has no port"),
        ({"served": 9}, "OpenFlow number 9, it had 3"),
        ({"packet_sockets": frozenset({-1})}, "does not listen on tap vnet1"),
        ({"packet_sockets": GONE}, "could not be verified"),
        ({"tap": False, "served": None}, ""),
    ],
)
def test_added_back_is_what_the_kernel_shows(found: dict[str, Any], words: str) -> None:
    each, data = changed_to(StepKind.READD_PORT)
    verdict = unfit(each, data, world_of(snapshot(**found)))
    assert words in verdict
    assert bool(words) == bool(verdict)


def test_deleted_is_what_the_datapath_shows() -> None:
    each, data = changed_to(StepKind.DELETE_PORT)
    gone = snapshot(domains=(), tap=False)
    assert "still has port vnet1" in unfit(each, data, world_of(gone))
    assert unfit(each, data, world_of(snapshot(domains=(), tap=False, served=None))) == ""


def test_a_guest_that_started_meanwhile_wants_its_port_back() -> None:
    each, data = changed_to(StepKind.DELETE_PORT)
    assert wanted_back(each, data, world_of(snapshot()))
    assert not wanted_back(each, data, world_of(snapshot(domains=())))
    assert not wanted_back(each, data, world_of(snapshot(tap=False)))
