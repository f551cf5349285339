"""What holds on every host there can be: the generator of tests/hosts plays each code, owner and opt-out."""

from collections import Counter
from dataclasses import replace
from random import Random
from typing import Any

import pytest

from hostagent.config import Repair
from hostagent.decide.drift import find_drift
from hostagent.decide.drift.codes import CODES
from hostagent.decide.repair import plan_repair
from hostagent.model.host import SECTIONS, Snapshot, Trouble, Unavailable
from hostagent.model.plan import Owner, Plan, StepKind
from tests.hosts import OPT_OUTS, SCENES, Host, generate
from tests.hosts.simulate import apply

SEED = 20261122
EACH = 100
ASKED = frozenset({"OVS_TAP_ORPHAN", "OVS_PORT_DORMANT"})


def hosts() -> list[Host]:
    """Each scene EACH times first on a host, and each opt-out EACH times on the first row."""
    rng = Random(SEED)
    found = [generate(rng, first=scene) for scene in SCENES for _ in range(EACH)]
    with_row = [scene for scene in SCENES if scene.name.startswith(("stale", "inherited", "dead_rx"))]
    return found + [
        generate(rng, first=rng.choice(with_row), opt_out=how) for how in OPT_OUTS for _ in range(EACH)
    ]


HOSTS = hosts()


def plan_of(snapshot: Snapshot, codes: frozenset[str] = frozenset()) -> Plan:
    return plan_repair(find_drift(snapshot), snapshot, limits=Repair(), codes=codes, force=True)


def test_every_code_owner_and_opt_out_was_played_often_enough() -> None:
    codes: Counter[str] = Counter()
    owners: Counter[Owner] = Counter()
    outs: Counter[str] = Counter()
    for host in HOSTS:
        codes.update({each.code for each in find_drift(host.snapshot).findings})
        owners.update({scene.owner for scene, _ in host.played})
        outs.update(host.opted_out.values())
    assert {code: count for code, count in codes.items() if count < EACH} == {}
    assert set(codes) == set(CODES)
    assert all(owners[owner] >= EACH for owner in Owner if owner is not Owner.IGNORED)
    assert all(outs[how] >= EACH for how in OPT_OUTS)


def test_every_scene_shows_its_code_and_a_healthy_one_shows_none() -> None:
    for host in HOSTS:
        drift = find_drift(host.snapshot)
        for scene, name in host.played:
            shown = {
                each.code for each in drift.findings if name in (each.name, each.object.rpartition("/")[2])
            }
            if name in host.opted_out:
                assert shown <= {"OVS_VHOST_DISCONNECTED", "OVS_TRANSIENT_TRAP"}, scene.name
            elif scene.code:
                assert scene.code in shown, scene.name
            else:
                assert not shown - {"OVN_PORT_NOT_INSTALLED"}, scene.name


@pytest.mark.parametrize("codes", [frozenset[str](), ASKED])
def test_a_plan_never_holds_what_is_not_ours_or_alive(codes: frozenset[str]) -> None:
    for host in HOSTS:
        snapshot = host.snapshot
        assert not isinstance(snapshot.links, Unavailable)
        foreign = {
            name for scene, name in host.played if scene.owner is Owner.OTHER and "orphan" not in scene.name
        }
        busy = {name for scene, name in host.played if scene.name == "migrating"}
        for step in plan_of(snapshot, codes).steps:
            assert step.name not in foreign | busy | host.opted_out.keys()
            if step.kind in {StepKind.DELETE_PORT, StepKind.DELETE_TAP}:
                assert step.kind is StepKind.DELETE_TAP or step.name not in snapshot.links.by_name
                assert step.owner in {Owner.LIBVIRT, Owner.LIBVIRT_NAMED} or step.on_request
            if step.owner is Owner.OS_VIF:
                assert step.on_request
                assert not step.changes
            assert not step.on_request or set(step.codes) & codes


def test_a_second_plan_is_empty() -> None:
    for host in HOSTS:
        first = plan_of(host.snapshot)
        assert plan_of(apply(host.snapshot, first)).steps == ()


def test_a_missing_section_never_widens_a_plan() -> None:
    gone = Unavailable(trouble=Trouble.UNRESPONSIVE, reason="gone", since=0.0)
    for host in HOSTS[:: len(SECTIONS)]:
        whole = {(step.kind, step.object) for step in plan_of(host.snapshot).steps}
        for section in SECTIONS:
            missing: dict[str, Any] = {section: gone}
            less = plan_of(replace(host.snapshot, **missing))
            assert {(step.kind, step.object) for step in less.steps} <= whole
