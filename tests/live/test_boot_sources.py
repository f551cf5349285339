"""What pacing reads, against a real libvirt: wishes, pools, counters, guests and events."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from hostagent.model.boot_wish import XML_KEY, XMLNS, BootWish
from hostagent.model.boot_xml import wish_xml
from tests.lab import soon
from tests.lab.loop import attach
from tests.live import boot_asked, boot_guest
from tests.live.boot_asked import Probe

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.lab import Node

pytestmark = pytest.mark.lab

# Measured on two busy cores: 0.4, 2, 11, 250 and 2.
MILLISECONDS = {"guest": 50, "guest, never seen": 100, "guests": 500, "figures": 2500, "figures_of": 100}
MANY = tuple(f"m{number:02}" for number in range(20))
# Of the agent's unit, what hides paths of the node or takes away the right to see them.
HIDING = ("Protect", "Private", "Capability", "NoNew")
UNIT = Path(__file__).parents[2] / "units" / "hostagent.service"


@pytest.fixture(scope="module")
def node(make_node: Callable[[str], Node], tmp_path_factory: pytest.TempPathFactory) -> Node:
    return boot_asked.prepare(make_node("bsrc"), tmp_path_factory.mktemp("bsrc"))


@pytest.fixture
def probe(node: Node) -> Iterator[Probe]:
    made = Probe(node)
    yield made
    made.end()


@pytest.mark.parametrize("where", ["--config", "--live"])
def test_wishes_round_trip_through_libvirt(node: Node, probe: Probe, where: str) -> None:
    wish = BootWish(priority=-7, after=("my db", " x ", "<&'\">", "ä€😀", "$(id)"), exempt=True, adopted=True)
    uuid = boot_guest.define(node, "wishing", boot_asked.RAW)
    if where == "--live":
        node.run("virsh", "-q", "start", "--paused", "wishing")
    metadata = ("virsh", "-q", "metadata", "wishing", XMLNS, where)
    for each in (wish, BootWish(), BootWish(after=("db",)), wish):
        node.run(*metadata, "--key", XML_KEY, "--set", wish_xml(each))
        found = probe.ask("guest", uuid)["wish"]
        assert BootWish(**found | {"after": tuple(found["after"])}) == each
    node.run(*metadata, "--remove")
    assert probe.ask("guest", uuid)["wish"]["after"] == []
    boot_asked.destroy(node, "wishing")
    node.run("virsh", "-q", "undefine", "wishing")


def test_a_hostile_name_is_read_as_it_is(node: Node, probe: Probe) -> None:
    name = "a &amp; <b>'\"ä $(id)"
    uuid = boot_guest.define(node, name, boot_asked.RAW)
    assert probe.ask("guest", uuid)["name"] == name
    node.run("virsh", "-q", "undefine", uuid)


def test_one_guest_through_its_life(node: Node, probe: Probe) -> None:
    uuid = boot_guest.define(node, "life", boot_asked.RAW)
    node.run("virsh", "-q", "autostart", "life")

    def seen() -> tuple[Any, ...]:
        found = probe.ask("guest", uuid)
        assert found in probe.ask("guests")
        return tuple(found[each] for each in ("state", "reason", "persistent", "autostart"))

    assert seen() == ("shutoff", "unknown", True, True)
    assert probe.ask("guest", uuid)["id"] is None
    node.run("virsh", "-q", "start", "life")
    assert seen() == ("running", "booted", True, True)
    assert str(probe.ask("guest", uuid)["id"]) == node.out("virsh", "domid", "life")
    node.run("virsh", "-q", "suspend", "life")
    assert seen() == ("paused", "user", True, True)
    node.run("virsh", "-q", "undefine", "life")
    assert seen() == ("paused", "user", False, False)
    node.run("virsh", "-q", "destroy", "life")
    assert probe.ask("guest", uuid) is None
    assert probe.ask("figures_of", uuid) is None
    assert uuid not in {each["uuid"] for each in probe.ask("guests")}


def test_figures_grow_while_a_guest_reads(node: Node, probe: Probe) -> None:
    uuid = boot_guest.define(node, "reader", boot_asked.RAW)
    assert probe.ask("figures_of", uuid) is None, "it is off"
    node.run("virsh", "-q", "start", "reader")

    def read() -> tuple[int, float, float]:
        found = probe.ask("figures")["by_uuid"][uuid]
        disk = found["disks"]["vda"]
        return disk["requests"], disk["busy_seconds"], found["vcpu_seconds"]

    first = read()
    assert soon(20, lambda: all(now > then for now, then in zip(read(), first, strict=True)))
    node.run("virsh", "-q", "suspend", "reader")
    held = read()
    assert not soon(1, lambda: read() != held), "paused, it does nothing at all"
    assert probe.ask("figures_of", uuid)["disks"]["vda"]["requests"] == held[0]
    boot_asked.destroy(node, "reader")
    assert uuid not in probe.ask("figures")["by_uuid"]


@pytest.fixture
def loop(node: Node, tmp_path: Path) -> Iterator[str]:
    """A loop device that the node has, with a file system that is at /srv/pool and /home; its name."""
    file = tmp_path / "loop.img"
    with file.open("wb") as backing:
        backing.truncate(64 << 20)
    subprocess.run(["mkfs.ext4", "-q", "-F", "-b", "4096", file], check=True)
    device, held = attach(file)
    number = device.stat().st_rdev
    name = device.name
    node.run("mknod", f"/dev/{name}", "b", str(os.major(number)), str(os.minor(number)))
    node.run("mkdir", "-p", "/srv/pool")
    node.run("mount", f"/dev/{name}", "/srv/pool")
    node.run("mount", "--bind", "/srv/pool", "/home")
    node.run("ln", "-sf", f"/dev/{name}", "/dev/by-name")
    yield name
    node.run("umount", "/home", "/srv/pool")
    os.close(held)


def test_pools(node: Node, loop: str) -> None:
    sources = {
        "file": ("<source file='/srv/pool/p.img'/>", loop),
        "home": ("<source file='/home/p.img'/>", loop),
        "block": (f"<source dev='/dev/{loop}'/>", loop),
        "named": ("<source dev='/dev/by-name'/>", loop),
        "over": (f"<source file='{boot_asked.IMAGE}'/>", "overlay:lab"),
        "tmp": ("<source file='/tmp/p.img'/>", "tmpfs:tmpfs"),
        "none": ("<source dev='/dev/nothing'/>", "node"),
    }
    uuids = {
        name: boot_guest.define(node, f"pool-{name}", boot_guest.disk(source))
        for name, (source, _) in sources.items()
    }
    for argv in ((), hardened()):
        probe = Probe(node, *argv)
        pools = {name: probe.ask("guest", uuid)["pool"] for name, uuid in uuids.items()}
        assert {name: each["name"] for name, each in pools.items()} == {
            name: pool for name, (_, pool) in sources.items()
        }
        assert pools["file"]["device"] == pools["block"]["device"] == loop
        assert pools["over"]["device"] == ""
        assert loop in probe.ask("disks")
        probe.end()
    for name in sources:
        node.run("virsh", "-q", "undefine", f"pool-{name}")


def hardened() -> tuple[str, ...]:
    """A program as the agent's unit runs it, as far as it may see the node."""
    found = [line.partition("=") for line in UNIT.read_text().splitlines() if line.startswith(HIDING)]
    # systemd-run takes the last of each, a unit all of them.
    words = {key: " ".join(value for name, _, value in found if name == key) for key, _, _ in found}
    assert {"ProtectHome", "PrivateDevices", "PrivateTmp", "CapabilityBoundingSet"} <= set(words)
    properties = (f"--property={key}={value}" for key, value in words.items())
    return ("systemd-run", "--quiet", "--pipe", "--wait", *properties)


def test_twenty_guests_at_once(node: Node, probe: Probe) -> None:
    """A guest that has started is known before it has read much, and all counters well within a sample."""
    uuids = [
        boot_guest.define(node, name, boot_guest.disk(f"<source file='/srv/{name}.img'/>")) for name in MANY
    ]
    for name in MANY:
        node.run("cp", boot_asked.IMAGE, f"/srv/{name}.img")
    node.start(*MANY)
    assert set(uuids) <= set(probe.ask("figures")["by_uuid"])
    took = probe.ask("time", 50, uuids[0])
    print(f"median and longest, in milliseconds: {took}")
    for what, milliseconds in MILLISECONDS.items():
        assert took[what][0] < milliseconds, what
    boot_asked.destroy(node, *MANY)
