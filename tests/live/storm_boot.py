"""A node with guests that start at its boot, by the agent's queue, and what that looked like from outside."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tests.live import agent, storm_guests, storm_watch
from tests.live.storm_flights import QUIET_AFTER_SECONDS, Flight, crowded, flights

if TYPE_CHECKING:
    from tests.lab import Node

PLACE = "/srv/images"
LIMIT = 2
_PORT = """<interface type='bridge'><mac address='52:54:00:0b:00:{number:02x}'/><source bridge='br-int'/>
<virtualport type='openvswitch'/><vlan><tag id='{tag}'/></vlan><model type='virtio'/><rom enabled='no'/>
</interface>"""


class NodeBoot:
    """Guests b00, b01, …: the last is wanted first, the one before it starts after the second."""

    def __init__(self, node: Node, count: int) -> None:
        self.node = node
        self.names = [f"b{number:02}" for number in range(count)]
        self.first, self.child, self.parent = self.names[-1], self.names[-2], self.names[1]
        self._cut_at = 0.0
        storm_watch.watch(node)
        boot = storm_watch.fixed(LIMIT, quiet_after_seconds=QUIET_AFTER_SECONDS, dependency_seconds=60.0)
        agent.configure(node, agent.settings(0.3, boot=boot, memory={"cpu_ratio": 64.0}))
        for number, name in enumerate(self.names):
            port = _PORT.format(number=number, tag=100 + number)
            storm_guests.define_bios(node, name, place=PLACE, more=port)
            node.run("virsh", "-q", "autostart", name)

    def adopt(self) -> None:
        """As an administrator does once."""
        self.node.run("hostagent", "boot", "adopt", "--all")
        self.node.run("hostagent", "boot", "set", self.first, "--priority", "5")
        self.node.run("hostagent", "boot", "set", self.child, "--after", self.parent)

    def start_all(self) -> None:
        """All run, however long it takes."""
        self.node.start(*self.names)
        self.node.run("hostagent", "boot", "go", "--all")
        self._all_run()

    def cut(self) -> None:
        """Cut the power, what was written being on the disk."""
        self._cut_at = storm_watch.now(self.node)
        self.node.run("sync")
        self.node.power_cut()

    def come_up(self) -> list[tuple[float, str]]:
        """Boot the node and wait; when each guest began to run, in order."""
        self.node.boot()
        self._all_run()
        return sorted(
            (flight.spans[0][0], name) for name, flight in self._flights().items() if name in self.names
        )

    def crowded(self, starts: list[tuple[float, str]]) -> list[str]:
        """Starts beside so many others that the limit was used up."""
        return crowded(self._flights(), starts, limit=LIMIT)

    def out_of_order(self, starts: list[tuple[float, str]]) -> list[str]:
        """What started before its turn."""
        at = {name: moment for moment, name in starts}
        # Two starts at once may overtake each other in libvirt: whose turn came first is the agent's word.
        turns = re.findall(r"^starting (\S+): ", agent.log(self.node), re.MULTILINE)
        wrong = []
        if set(at) != set(self.names) or sorted(turns) != self.names:
            wrong.append(f"not all started once: {starts}, {turns}")
        if turns[:1] != [self.first]:
            wrong.append(f"{self.first} was not first: {turns}")
        if at[self.child] < at[self.parent] + QUIET_AFTER_SECONDS:
            wrong.append(f"{self.child} did not wait until {self.parent} had settled")
        return wrong

    def ports(self) -> dict[str, str]:
        """Each guest's VLAN, by the MAC that its port is for."""
        rows = self.node.out(
            *"ovs-vsctl -f csv -d bare --no-headings --columns=name,external_ids list Interface".split()
        )
        found = {}
        for line in rows.splitlines():
            name, _, ids = line.partition(",")
            if "attached-mac" in ids:
                mac = ids.partition("attached-mac=")[2][:17]
                found[mac] = self.node.out("ovs-vsctl", "get", "Port", name, "tag")
        return found

    def _flights(self) -> dict[str, Flight]:
        return flights(storm_watch.events(self.node, since=self._cut_at))

    def _all_run(self) -> None:
        agent.until(
            "all run and have settled",
            lambda: (
                storm_guests.running(self.node) >= set(self.names)
                and not storm_watch.told(self.node)["guests"]
            ),
            seconds=180,
        )
