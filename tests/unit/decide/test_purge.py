"""What the boot's purge deletes, and when it does nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hostagent.decide.purge import plan_purge, ran_before
from hostagent.health.case import parse_host
from hostagent.model.host import Unavailable
from hostagent.model.plan import Plan, StepKind

if TYPE_CHECKING:
    from hostagent.model.ports import Links, Ovs

A, B = "11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"
STALE = f"""
[[port]]
name = "vnet0"
vm = "{A}"
tag = 100
qos = "q1"
[[qos]]
uuid = "q1"
queues = ["u1"]
external_ids = {{ vm-id = "{A}", ifname = "vnet0" }}
[[queue]]
uuid = "u1"
external_ids = {{ vm-id = "{A}", ifname = "vnet0" }}
[[qos]]
uuid = "q2"
external_ids = {{ vm-id = "{B}", ifname = "vnet9" }}
"""
OTHERS = [
    f'name = "tap0"\nvm = "{A}"',  # a name that somebody gave: fix decides, with libvirt to ask
    f'name = "vnet0"\nos_vif = "{A}"',
    f'name = "vnet0"\nvm = "{A}"\nids = {{ hostagent = "ignore" }}',
    f'name = "vnet0"\nvm = "{A}"\nids = {{ skip_cleanup = "true" }}',
    f'name = "vnet0"\nvm = "{A}"\nids = {{ ovn-installed = "true" }}',
    f'name = "vnet0"\nvm = "{A}"\nother_config = {{ net_uuid = "n" }}',
    f'name = "vnet0"\nvm = "{A}"\ntype = "internal"',
    f'name = "vnet0"\nvm = "{A}"\nbridge = "tbr-1"',
    'name = "vnet0"',
    'name = "vnet0"\ninterfaces = ["vnet0", "vnet1"]',
]


def host(text: str) -> tuple[Ovs, Links]:
    snapshot = parse_host(text)
    assert not isinstance(snapshot.ovs, Unavailable)
    assert not isinstance(snapshot.links, Unavailable)
    return snapshot.ovs, snapshot.links


def planned(text: str, *hypervisors: str) -> Plan:
    ovs, links = host(text)
    return plan_purge(ovs, links, hypervisors)


def test_stale_rows_and_orphans_go_with_their_queues() -> None:
    plan = planned(STALE)
    assert plan.refused == ""
    assert [(step.kind, step.object, step.qos, step.queues) for step in plan.steps] == [
        (StepKind.DELETE_PORT, "br-int/vnet0", ("q1",), ("u1",)),
        (StepKind.DELETE_QOS, "q2", ("q2",), ()),
    ]
    assert all("at boot" in step.reason for step in plan.steps)


@pytest.mark.parametrize("row", OTHERS)
def test_what_is_not_libvirts_stays(row: str) -> None:
    assert planned(f"[[port]]\n{row}\n") == Plan(steps=())


def test_a_qos_of_somebody_else_stays() -> None:
    assert planned('[[qos]]\nuuid = "q"\ntype = "linux-noop"\n').steps == ()


@pytest.mark.parametrize(
    ("more", "hypervisors", "words"),
    [
        ("", ("qemu-system-x86 (process 7)",), "qemu-system-x86 (process 7) is running"),
        ("", ("libvirtd (process 7)",), "libvirtd (process 7) is running"),
        ('[[link]]\nname = "vnet7"\nifindex = 7\n', (), "tap vnet7 exists"),
        ('[[link]]\nname = "one"\nifindex = 7\ntap = true\n', (), "tap one exists"),
        ("[ovs]\nflow_restore_wait = true\n", (), "restores flows"),
    ],
)
def test_it_does_nothing(more: str, hypervisors: tuple[str, ...], words: str) -> None:
    plan = planned(STALE + more, *hypervisors)
    assert plan.steps == ()
    assert words in plan.refused


def test_a_userspace_bridges_own_tap_is_no_guests() -> None:
    own = '[[port]]\nname = "br-int"\ntype = "internal"\n[[link]]\nname = "br-int"\nifindex = 7\ntap = true\n'
    assert len(planned(STALE + own).steps) == 2


def test_who_ran_before() -> None:
    rows = f'[[port]]\nname = "tap1"\nvm = "{B}"\n[[port]]\nname = "tap2"\nos_vif = "{B[:-1]}3"\n'
    assert ran_before(host(STALE + rows)[0]) == {A, B}
