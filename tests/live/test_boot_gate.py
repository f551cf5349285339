"""Which starts are held over the limit and which never are; what a person does with a guest stays done."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests import lab
from tests.live import agent, storm_guests, storm_watch
from tests.live.storm_watch import boot_of, domstate, in_flight, state

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.lab import Node

pytestmark = pytest.mark.lab

PLACE = "/srv/images"
BUSY = "busy"  # reads for ever, so it never settles and keeps the only place
GUESTS = ("g1", "g2", "g3")
# A snapshot needs a disk that can hold one; this is what qemu-img would do.
KEPT = "kept"
CREATE = f"""rm -f {PLACE}/{KEPT}.img; touch {PLACE}/{KEPT}.img
(cat; sleep 1; echo '{{"execute": "quit"}}') | qemu-storage-daemon --chardev stdio,id=m --monitor chardev=m"""
QCOW2 = """{{"execute": "qmp_capabilities"}}
{{"execute": "blockdev-add", "arguments": {{"driver": "file", "node-name": "f", "filename": "{image}"}}}}
{{"execute": "blockdev-create", "arguments":
 {{"job-id": "j", "options": {{"driver": "qcow2", "file": "f", "size": 16777216}}}}}}
"""
PATIENCE = 40.0


@pytest.fixture(scope="module")
def node(make_node: Callable[..., Node]) -> Node:
    """A limit of one boot, a guest that can take it for ever, and small ones to be held."""
    made = make_node("bgate", agent=True)
    storm_watch.watch(made)
    boot = storm_watch.fixed(1, quiet_after_seconds=4.0)  # who boots is to be seen on a busy machine too
    agent.configure(made, agent.settings(0.3, boot=boot))
    storm_guests.images(made, BUSY, mib=16, place=PLACE)
    storm_guests.define(made, BUSY, words="lab.watch=30", place=PLACE)
    storm_guests.define_bios(made, *GUESTS, place=PLACE)
    return made


@pytest.fixture
def full(node: Node) -> Node:
    """The only place is taken, and nobody else runs."""
    quiet(node, BUSY)
    if BUSY not in storm_guests.running(node):
        node.run("virsh", "-q", "start", BUSY)
    agent.until("it boots", lambda: state(node, BUSY) == "booting", seconds=PATIENCE)
    return node


def quiet(node: Node, *but: str) -> None:
    """Nobody runs but these, and the agent knows."""
    away = (storm_guests.running(node) | storm_guests.paused(node)) - set(but)
    storm_guests.destroy(node, *away)
    agent.until(
        "the agent knows",
        lambda: {each["name"] for each in storm_watch.told(node)["guests"]} <= set(but),
        seconds=PATIENCE,
    )


def make_room(node: Node) -> None:
    node.run("virsh", "-q", "destroy", BUSY)


def start_held(node: Node, name: str) -> None:
    """Start a guest; it is held."""
    node.run("virsh", "-q", "start", name)
    agent.until("held", lambda: state(node, name) == "held", seconds=PATIENCE)
    assert domstate(node, name) == "paused"


def goes_on(node: Node, name: str) -> None:
    agent.until(f"{name} goes on", lambda: domstate(node, name) == "running", seconds=PATIENCE)


def admitted(node: Node, why: str) -> int:
    return int(storm_watch.told(node)["admissions"].get(why, 0))


def test_a_start_over_the_limit_is_held_and_then_resumed(full: Node) -> None:
    start_held(full, "g1")
    assert storm_watch.reads(full, "g1") == 0, "it was held before its firmware read anything"
    entry = storm_watch.held_list(full)["g1"]
    assert (entry["kind"], entry["uuid"]) == ("held", full.out("virsh", "domuuid", "g1"))
    told = boot_of(full, "g1")
    assert "1 boot running, limit 1" in told["reason"]
    assert "g1" in full.out("hostagent", "boot", "status")
    make_room(full)
    goes_on(full, "g1")
    agent.until("it reads", lambda: storm_watch.reads(full, "g1") > 0, seconds=PATIENCE)
    agent.until("it has settled", lambda: boot_of(full, "g1") == {}, seconds=PATIENCE)
    assert storm_watch.held_list(full) == {}


def test_started_paused_is_left_to_who_did_it(full: Node) -> None:
    full.run("virsh", "-q", "start", "--paused", "g1")
    make_room(full)
    start_and_settle(full, "g2")
    assert domstate(full, "g1") == "paused"
    assert storm_watch.held_list(full) == {}
    before = admitted(full, "paused")
    full.run("virsh", "-q", "resume", "g1")
    agent.until("it counts as a boot", lambda: admitted(full, "paused") == before + 1, seconds=PATIENCE)


def start_and_settle(node: Node, name: str) -> None:
    """Start a guest where there is room, and wait until its boot is over."""
    node.run("virsh", "-q", "start", name)
    agent.until("it boots", lambda: state(node, name) == "booting", seconds=PATIENCE)
    agent.until("it has settled", lambda: boot_of(node, name) == {}, seconds=PATIENCE)


def test_a_person_resumes_a_held_guest(full: Node) -> None:
    start_held(full, "g1")
    full.run("virsh", "-q", "resume", "g1")
    agent.until("it counts", lambda: state(full, "g1") == "booting", seconds=PATIENCE)
    assert in_flight(full) == 2
    assert domstate(full, "g1") == "running"
    assert storm_watch.held_list(full) == {}


def test_a_person_pauses_a_guest_that_boots(full: Node) -> None:
    full.run("virsh", "-q", "suspend", BUSY)
    agent.until("its place is free", lambda: in_flight(full) == 0, seconds=PATIENCE)
    start_and_settle(full, "g1")
    assert domstate(full, BUSY) == "paused"
    full.run("virsh", "-q", "resume", BUSY)
    agent.until("it boots on", lambda: state(full, BUSY) == "booting", seconds=PATIENCE)


def test_a_guest_that_reboots_counts_and_goes_on(full: Node) -> None:
    make_room(full)
    start_and_settle(full, "g1")
    full.run("virsh", "-q", "start", BUSY)
    agent.until("full", lambda: state(full, BUSY) == "booting", seconds=PATIENCE)
    before = admitted(full, "reboot")
    full.run("virsh", "-q", "reset", "g1")
    agent.until("it counts", lambda: state(full, "g1") == "booting", seconds=PATIENCE)
    assert (domstate(full, "g1"), admitted(full, "reboot") > before) == ("running", True)


def test_what_comes_back_from_disk_is_not_held(full: Node) -> None:
    """Restore, managed save and the revert to a snapshot, all of them over the limit."""
    image = f"{PLACE}/{KEPT}.img"
    full.run("sh", "-ec", CREATE, input=QCOW2.format(image=image))
    storm_guests.define_bios(full, KEPT, place=PLACE, kind="qcow2")
    start_held(full, KEPT)
    full.run("hostagent", "boot", "go", KEPT)
    goes_on(full, KEPT)
    full.run("virsh", "-q", "snapshot-create-as", KEPT, "one")
    comes_back(full, f"save {KEPT} /root/saved", "restore /root/saved", "restored")
    comes_back(full, f"managedsave {KEPT}", f"start {KEPT}", "restored")
    comes_back(full, f"destroy {KEPT}", f"snapshot-revert {KEPT} one", "reverted")


def comes_back(node: Node, off: str, on: str, why: str) -> None:
    """The guest ends and comes back, is counted as that, and runs."""
    node.run("virsh", "-q", *off.split())
    before = admitted(node, why)
    node.run("virsh", "-q", *on.split())
    agent.until(on, lambda: admitted(node, why) == before + 1, seconds=PATIENCE)
    assert domstate(node, KEPT) == "running"
    assert boot_of(node, KEPT) == {}


def test_a_guest_that_migrates_in_is_not_held(full: Node, make_node: Callable[..., Node]) -> None:
    source = make_node("bgate-from")
    lab.link("bgate-from", "bgate")
    for each in (source, full):
        each.run("sh", "-ec", f"mkdir -p {PLACE}; truncate -s 1M {PLACE}/moves.img")
    storm_guests.define_bios(source, "moves", place=PLACE)
    source.run("virsh", "-q", "start", "moves")
    before = admitted(full, "incoming")
    source.run("virsh", "migrate", "--live", "--unsafe", "moves", "qemu+tcp://bgate/system")
    agent.until("it came", lambda: admitted(full, "incoming") == before + 1, seconds=PATIENCE)
    assert domstate(full, "moves") == "running"
    assert boot_of(full, "moves") == {}
    full.run("virsh", "-q", "destroy", "moves")


def test_an_exempt_guest_goes_at_once(full: Node) -> None:
    full.run("hostagent", "boot", "set", "g1", "--exempt")
    full.run("virsh", "-q", "start", "g1")
    agent.until("it counts", lambda: state(full, "g1") == "booting", seconds=PATIENCE)
    assert domstate(full, "g1") == "running"
    full.run("hostagent", "boot", "set", "g1", "--clear")


@pytest.mark.parametrize("how", ["pause", "stop file"])
def test_while_the_agent_may_not_act(full: Node, how: str) -> None:
    """Starts pass, who is held stays held, and it is said."""
    begin, end = {
        "pause": (("hostagent", "pause", "--reason", "the array is new"), ("hostagent", "resume")),
        "stop file": (("touch", "/etc/hostagent/stop"), ("rm", "/etc/hostagent/stop")),
    }[how]
    start_held(full, "g1")
    full.run(*begin)
    try:
        agent.until("it is said", lambda: storm_watch.told(full)["halted"] != "", seconds=PATIENCE)
        full.run("virsh", "-q", "start", "g2")
        agent.until("it passes", lambda: state(full, "g2") == "booting", seconds=PATIENCE)
        assert domstate(full, "g2") == "running"
        make_room(full)
        start_and_settle(full, "g3")
        assert domstate(full, "g1") == "paused"
        assert storm_watch.told(full)["halted"] in full.out("hostagent", "boot", "status")
    finally:
        full.run(*end)
    goes_on(full, "g1")


def test_hold_and_go(full: Node) -> None:
    """A person's word: nobody is released, but who is named."""
    make_room(full)
    full.run("hostagent", "boot", "hold", "--reason", "the array is being repaired")
    for name in ("g1", "g2"):
        start_held(full, name)
    agent.until("why", lambda: "being repaired" in boot_of(full, "g1")["reason"], seconds=PATIENCE)
    full.run("hostagent", "boot", "go", "g2")
    goes_on(full, "g2")
    agent.until("it has settled", lambda: boot_of(full, "g2") == {}, seconds=PATIENCE)
    assert domstate(full, "g1") == "paused"
    full.run("hostagent", "boot", "resume")
    goes_on(full, "g1")
