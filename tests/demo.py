"""The story a newcomer should see (`make demo`): a power cut puts a guest into another tenant's VLAN.

Everything is real: the node, its daemons, the guests, and the frames, which are captured on the
receivers' taps. Exits 1 if any frame goes where it should not or misses where it should arrive.
"""

from __future__ import annotations

import json
import os
import sys
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests import lab

if TYPE_CHECKING:
    from tests.lab import Node

TTY = sys.stdout.isatty() and "NO_COLOR" not in os.environ
RED, GREEN, BOLD, DIM, PLAIN = ("\033[31m", "\033[32m", "\033[1m", "\033[2m", "\033[0m") if TTY else ("",) * 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Guest:
    """A guest of one tenant; ``vlan`` is what its XML says."""

    name: str
    tenant: str
    vlan: int
    number: int
    tap: str | None = None

    @property
    def mac(self) -> str:
        return f"52:54:00:de:00:{self.number:02x}"

    @property
    def ip(self) -> str:
        return f"10.77.0.{self.number}/24"


GUESTS = (
    Guest(name="alice", tenant="red", vlan=100, number=1),
    Guest(name="anna", tenant="red", vlan=100, number=2),
    Guest(name="bob", tenant="blue", vlan=200, number=3),
    Guest(name="ben", tenant="blue", vlan=200, number=4),
)
SILENT = (
    Guest(name="cleo", tenant="green", vlan=300, number=5, tap="tapcleo"),
    Guest(name="carl", tenant="green", vlan=300, number=6, tap="tapcarl"),
)


@dataclass(slots=True)
class Story:
    """Tells it, and keeps what went against the plot."""

    node: Node
    wrong: list[str] = field(default_factory=list)

    def say(self, text: str) -> None:
        print(f"\n{BOLD}{text}{PLAIN}", flush=True)
        if TTY:
            time.sleep(1.5)

    def must(self, what: str, *, hold: bool) -> None:
        print(
            f"  {GREEN}as told{PLAIN}: {what}" if hold else f"  {RED}NOT AS TOLD{PLAIN}: {what}", flush=True
        )
        if not hold:
            self.wrong.append(what)

    def hostagent(self, *arguments: str, shown: bool = True) -> tuple[int, str]:
        """Run hostagent in the node as a person would."""
        print(f"{DIM}  node# hostagent {' '.join(arguments)}{PLAIN}", flush=True)
        done = self.node.run("hostagent", *arguments, check=False)
        if shown:
            for line in (done.stdout + done.stderr).rstrip().splitlines():
                print(f"  | {line}", flush=True)
        return done.returncode, done.stdout

    def start(self, guests: tuple[Guest, ...]) -> None:
        for guest in guests:
            self.node.run("virsh", "start", guest.name)
        print(f"  started in this order: {', '.join(guest.name for guest in guests)}", flush=True)

    def taps(self, guests: tuple[Guest, ...]) -> dict[str, str]:
        """Guest name → tap, as libvirt has it now."""
        found = {}
        for guest in guests:
            words = self.node.run("virsh", "-q", "domiflist", guest.name).stdout.split()
            found[guest.name] = words[0]
        return found

    def frames(self, guests: tuple[Guest, ...], *, expect_right: bool) -> None:
        """Show whose broadcasts arrive at whom, against what the XML says."""
        taps = self.taps(guests)
        by_mac = {guest.mac: guest for guest in guests}
        arrived = self._arrived({taps[guest.name]: guest for guest in guests}, patient=expect_right)
        right = True
        for guest in guests:
            heard = {by_mac[mac].name for mac in arrived[taps[guest.name]] if mac in by_mac} - {guest.name}
            wished = {other.name for other in guests if other.vlan == guest.vlan} - {guest.name}
            notes = [f"{RED}{name} of tenant {_of(name).tenant}!{PLAIN}" for name in sorted(heard - wished)]
            notes += [f"{RED}{name} is missing{PLAIN}" for name in sorted(wished - heard)]
            right = right and heard == wished
            words = ", ".join(sorted(heard & wished)) or "nobody"
            who = f"{guest.name:<6} ({guest.tenant:<5} VLAN {guest.vlan}, {taps[guest.name]})"
            line = f"  at {who}: hears {words}"
            print(line + "".join(f", {note}" for note in notes), flush=True)
        told = "every frame arrives where the XML says and nowhere else"
        self.must(told if expect_right else "frames go astray", hold=right is expect_right)

    def _arrived(self, behind: dict[str, Guest], *, patient: bool) -> dict[str, set[str]]:
        """Who was heard on each tap; guests that have just started may take a little time to be heard."""
        for _ in range(4 if patient else 1):
            arrived = self.node.reach(list(behind))
            vlans = [guest.vlan for guest in behind.values()]
            if all(len(arrived[tap]) >= vlans.count(guest.vlan) - 1 for tap, guest in behind.items()):
                break
        return arrived

    def finds(self, code: str, count: int) -> None:
        status, text = self.hostagent("check", "--live", "--format", "json", shown=False)
        checks = json.loads(text)["checks"]
        objects = [each["id"] for one in checks if one["code"] == code for each in one["objects"]]
        self.must(
            f"check exits 2 and names {code} on {', '.join(objects)}",
            hold=(status, len(objects)) == (2, count),
        )

    def repair(self) -> None:
        self.must("fix shows a plan and changes nothing (exit 10)", hold=self.hostagent("fix")[0] == 10)
        self.must("fix --apply repairs and verifies (exit 0)", hold=self.hostagent("fix", "--apply")[0] == 0)
        self.must("check is at exit 0", hold=self.hostagent("check", "--live")[0] == 0)


def _of(name: str) -> Guest:
    return next(guest for guest in (*GUESTS, *SILENT) if guest.name == name)


def vlan_story(story: Story) -> None:
    """Names are given again in start order; rows of OVSDB are not."""
    story.say("Two tenants, two VLANs. Each guest broadcasts; we listen on each guest's tap.")
    story.start(GUESTS)
    story.frames(GUESTS, expect_right=True)
    story.must("check is at exit 0", hold=story.hostagent("check", "--live")[0] == 0)
    story.say("The power fails: taps and guests are gone, OVSDB's rows stay on disk.")
    story.say("(At this boot the package's purge would clean up: left out, to see what it spares us.)")
    story.node.run("systemctl", "mask", "hostagent-purge.service")
    story.node.run("sync")
    story.node.power_cut()
    story.node.boot()
    story.say("The node is back, and the guests are started in another order.")
    story.start(tuple(GUESTS[index] for index in (2, 0, 3, 1)))
    story.frames(GUESTS, expect_right=False)
    story.say("libvirt and Open vSwitch report no error. hostagent does:")
    story.hostagent("check", "--live")
    story.finds("OVS_PORT_INHERITED", 2)
    story.repair()
    story.frames(GUESTS, expect_right=True)


def silent_story(story: Story) -> None:
    """A row outlives its tap, and vswitchd listens to nothing."""
    story.say("The silent one: OVSDB hangs for some seconds while a guest restarts.")
    story.start(SILENT)
    story.frames(SILENT, expect_right=True)
    pid = story.node.run("cat", "/run/openvswitch/ovsdb-server.pid").stdout.strip()
    story.node.run("kill", "-STOP", pid)
    story.node.run("virsh", "destroy", "cleo")
    story.node.run("kill", "-CONT", pid)
    story.start(SILENT[:1])
    lights = story.node.run(
        "ovs-vsctl", "--columns=name,ofport,error,external_ids", "list", "Interface", "tapcleo"
    )
    story.say("Every light is green: virsh said 0 twice, and OVSDB says:")
    for line in lights.stdout.splitlines():
        print(f"  | {line}")
    story.say("But what cleo sends arrives nowhere:")
    story.frames(SILENT, expect_right=False)
    story.hostagent("check", "--live")
    story.finds("OVS_PORT_DEAD_RX", 1)
    story.repair()
    story.frames(SILENT, expect_right=True)


def agent_story(story: Story) -> None:
    """Nobody is there, and the port of a running guest is lost."""
    story.say("From here on the agent runs. Somebody deletes the ports of alice and ben:")
    story.node.run("systemctl", "enable", "--now", "hostagent.service")
    taps = story.taps(GUESTS)
    began = time.monotonic()
    story.node.run("ovs-vsctl", "del-port", taps["alice"], "--", "del-port", taps["ben"])
    repaired = lab.soon(15, lambda: _have_ports(story.node, taps))
    story.must(f"both are back after {time.monotonic() - began:.1f} s, without a person", hold=repaired)
    story.frames(GUESTS, expect_right=True)
    story.hostagent("status")
    story.must(
        "check, which asks the agent, is at exit 0", hold=story.hostagent("check", "--wait", "10s")[0] == 0
    )


def _have_ports(node: Node, taps: dict[str, str]) -> bool:
    return set(taps.values()) <= set(node.out("ovs-vsctl", "list-ports", "br-int").split())


def main() -> int:
    """Boot a node, tell the stories, take the node down."""
    print("hostagent demo: booting a compute node (the first time builds its image) …", flush=True)
    node = lab.up("demo", owner=os.getpid())
    try:
        for guest in (*GUESTS, *SILENT):
            node.guest(
                guest.name, bridge="br-int", vlan=guest.vlan, ip=guest.ip, mac=guest.mac, tap=guest.tap
            )
        story = Story(node)
        vlan_story(story)
        silent_story(story)
        agent_story(story)
    finally:
        node.down()
    print(
        f"\n{RED}{len(story.wrong)} things went wrong{PLAIN}"
        if story.wrong
        else f"\n{GREEN}All as told.{PLAIN}"
    )
    return 1 if story.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
