"""Random hosts from scenes: two to eight situations side by side, some rows opted out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hostagent.model.plan import Owner
from tests.hosts.build import Builder, Host, Scene
from tests.hosts.foreign import FOREIGN
from tests.hosts.ours import OURS
from tests.hosts.possible import must_be_possible

if TYPE_CHECKING:
    from random import Random

SCENES: tuple[Scene, ...] = OURS + FOREIGN
OPT_OUTS = ("interface hostagent", "port hostagent", "interface skip_cleanup", "port skip_cleanup")


def generate(rng: Random, *, first: Scene | None = None, opt_out: str = "") -> Host:
    """A possible host. ``first`` is played for certain; ``opt_out`` marks its row in that way.

    Raises:
        ImpossibleHostError: the scenes contradict each other, which is a fault of the generator.
    """
    build = Builder(rng)
    kernel = rng.random() < 0.4
    if first is not None and first.code in {"OVS_PORT_DEAD_RX", "OVS_PORT_UNATTACHED"}:
        kernel = first.code == "OVS_PORT_UNATTACHED"
    if kernel:
        build.link("ovs-system", kind="openvswitch", tap=False, heard=False)
    for name in ("br-int", "br-ext"):
        build.bridge(name, "system" if kernel else "netdev")
    chosen = [first] if first is not None else []
    # dead RX is the userspace datapath's fault, a missing master the kernel's
    never = {"OVS_PORT_DEAD_RX" if kernel else "OVS_PORT_UNATTACHED"}
    others = [scene for scene in SCENES if scene.code not in never]
    chosen += rng.sample(others, rng.randint(1, 7))
    played = tuple((scene, scene.play(build)) for scene in chosen)
    opted_out: dict[str, str] = {}
    for index, (scene, name) in enumerate(played):
        how = opt_out if index == 0 and opt_out else rng.choice(OPT_OUTS) if rng.random() < 0.1 else ""
        if how and name in build.ports and scene.owner is not Owner.IGNORED:
            build.opt_out(name, how)
            opted_out[name] = how
    snapshot = build.snapshot()
    must_be_possible(snapshot)
    return Host(snapshot=snapshot, played=played, opted_out=opted_out)
