"""An hour of a nova-like node, on a fake clock: nothing of it is ever touched, nothing is crit."""

from __future__ import annotations

from random import Random

import pytest

from hostagent.config import Settings
from hostagent.decide.agent.cycle import Memory, Now, turn
from hostagent.health.api import Context, State
from hostagent.health.case import parse_host
from hostagent.health.loader import load_checks
from hostagent.health.runner import run
from hostagent.model.plan import Owner, Severity

HOUR = 3600.0
# What neutron, OVN and OpenNebula keep on such a node, whatever the instances do.
FURNITURE = """
[bridges]
br-int = "netdev"
br-ex = "netdev"
tbr-77 = "netdev"
[[port]]
name = "qvo9"
tag = 5
os_vif = "hybrid"
[[link]]
name = "qvo9"
kind = "veth"
tap = false
ifindex = 700
[[port]]
name = "int-br-ex"
type = "patch"
[[port]]
name = "phy-br-ex"
bridge = "br-ex"
type = "patch"
[[port]]
name = "tpi-7"
type = "patch"
tag = 4
other_config = { net_uuid = "n", tag = "4" }
[[port]]
name = "taptrunk"
bridge = "tbr-77"
os_vif = "trunk"
[[port]]
name = "vxlan-0a"
type = "vxlan"
[[domain]]
name = "one-7"
managers = ["OpenNebula"]
[[domain.interface]]
tap = "one-7-0"
[[link]]
name = "one-7-0"
ifindex = 701
[[port]]
name = "one-7-0"
vm = "one-7"
tag = 77
"""
# An instance's life: os-vif plugs, libvirt starts, neutron wires, a migration, a stop, unplugged.
LIFE = ("none", "plugged", "starting", "unwired", "running", "migrating", "running", "stopping", "shutoff")


def instance(number: int, state: str) -> str:
    name, tap, text = f"instance-{number}", f"tap{number:08x}", ""
    if state != "none":
        tag = (
            "" if state in {"plugged", "starting"} else f"tag = {4095 if state == 'unwired' else 10 + number}"
        )
        ofport = "" if state in {"starting", "unwired", "running", "migrating"} else "ofport = -1"
        text += f'[[port]]\nname = "{tap}"\nos_vif = "{name}"\niface_id = "i{number}"\n{tag}\n{ofport}\n'
        text += 'error = "No such device"\n' if ofport else ""
    if state in {"starting", "unwired", "running", "migrating", "shutoff"}:
        text += f'[[domain]]\nname = "{name}"\nmanagers = ["nova"]\n'
        text += {"shutoff": "live = false\n", "migrating": 'job = "migration out"\n'}.get(state, "")
        text += 'state = "paused"\nreason = "starting up"\n' if state == "starting" else ""
        text += f'[[domain.interface]]\nkind = "ethernet"\novs = false\ntap = "{tap}"\n'
    if state in {"starting", "unwired", "running", "migrating"}:
        text += f'[[link]]\nname = "{tap}"\nifindex = {100 + number}\n'
    return text


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_an_hour_of_events(seed: int) -> None:
    rng, settings, checks = Random(seed), Settings(), load_checks("/nonexistent")
    lives = [rng.randrange(len(LIFE)) for _ in range(8)]
    memory, now, turns, seen = Memory(), 0.0, 0, set()
    while now < HOUR:
        host = FURNITURE + "".join(instance(n, LIFE[at]) for n, at in enumerate(lives))
        snapshot = parse_host(host)
        cycle = turn(memory, snapshot, Now(began=now, woken_at=now), settings)
        memory, turns = cycle.memory, turns + 1
        assert cycle.plan is None, (now, cycle.plan)
        assert not [f for f in cycle.drift.findings if f.severity is Severity.CRIT], now
        states = {
            each.code: each.state
            for each in run(checks, Context(snapshot=snapshot, drift=cycle.drift), host="n").results
        }
        assert State.CRIT not in states.values(), (now, states)
        seen |= {each.owner for each in cycle.drift.findings} | {LIFE[at] for at in lives}
        if rng.random() < 0.5:
            lives[rng.randrange(len(lives))] += 1
            lives = [at % len(LIFE) for at in lives]
        now = min(now + rng.choice([0.05, 0.5, 2.0, 5.0, 20.0]), cycle.due or HOUR)
    assert turns > 300
    assert {*LIFE, Owner.OS_VIF} <= seen, "every state was there, and rows were looked at"
