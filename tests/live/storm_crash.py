"""Storms in the middle of which the agent or libvirtd is killed, and what must be true of them in the end."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from tests.live import agent, storm_guests, storm_watch
from tests.live.storm_flights import QUIET_AFTER_SECONDS, crowded, flights, releases

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from random import Random

    from tests.lab import Node

PLACE = "/srv/images"
LIMIT = 3
BOOT: dict[str, Any] = storm_watch.fixed(LIMIT, quiet_after_seconds=QUIET_AFTER_SECONDS)
CLIENTS = 4
PATIENCE = 150.0
# A person who has changed their mind: the guest ran in between, so it is not the agent's any more.
_MIND = "virsh -q resume {0} && sleep 0.5 && virsh -q suspend {0}"


class Storms:
    """A node with a limit of three and so many small guests."""

    def __init__(self, node: Node, count: int, random: Random) -> None:
        self.node, self.random = node, random
        self.names = [f"c{number:02}" for number in range(count)]
        self.kills = 0
        self.seen = 0
        storm_watch.watch(node)
        agent.configure(node, agent.settings(0.3, boot=BOOT))
        storm_guests.define_bios(node, *self.names, place=PLACE)

    def storm(self, strikes: Sequence[Callable[[], None]], *, after_start: bool = False) -> None:
        """Start all, strike, then wait until all is well and look back."""
        storm_guests.destroy(self.node, *self.names)
        agent.until("nobody boots", lambda: not storm_watch.told(self.node)["guests"], seconds=PATIENCE)
        since = storm_watch.now(self.node)
        lines = " & ".join(
            f"(for each in {' '.join(self.names[number::CLIENTS])}; do virsh -q start $each; done)"
            for number in range(CLIENTS)
        )
        starting = self.node.popen("sh", "-c", f"{lines} & wait")
        if after_start:
            starting.wait(60)
        people = self._people()
        for strike in strikes:
            agent.until("the agent runs", lambda: self._pid() != "0", seconds=30)
            time.sleep(self.random.uniform(0.0, 2.0))
            strike()
        assert starting.wait(60) == 0
        everybody = set(self.names) - people
        agent.until(
            "all but those that people paused run",
            lambda: (
                storm_guests.running(self.node) >= everybody and not storm_watch.told(self.node)["guests"]
            ),
            seconds=PATIENCE,
        )
        self._look_back(since, people)

    def kill_agent(self) -> None:
        """SIGKILL; systemd starts it again."""
        before = self._pid()
        self.node.run("systemctl", "kill", "-s", "KILL", "hostagent.service")
        agent.until("it is dead", lambda: self._pid() != before, seconds=10)
        self.kills += 1

    def kill_libvirtd(self) -> None:
        """SIGKILL; the guests go on, and systemd or the next client starts it again."""
        self.node.run("systemctl", "kill", "-s", "KILL", "--kill-who=main", "libvirtd.service")
        self._libvirtd_is_back()

    def restart_libvirtd(self) -> None:
        """As an upgrade does it."""
        self.node.run("systemctl", "restart", "libvirtd.service")
        self._libvirtd_is_back()

    def _libvirtd_is_back(self) -> None:
        agent.until("libvirtd answers", lambda: bool(storm_guests.running(self.node)), seconds=30)

    def _pid(self) -> str:
        return self.node.out("systemctl", "show", "-p", "MainPID", "--value", "hostagent.service")

    def _people(self) -> set[str]:
        """A person pauses one guest that boots, and one that was held and that they had resumed."""
        node = self.node
        agent.until("somebody is held", lambda: bool(self._held()), seconds=PATIENCE)
        agent.until("somebody boots", lambda: bool(self._booting()), seconds=PATIENCE)
        mind, booting = max(self._held()), self._booting().pop()
        node.run("sh", "-c", _MIND.format(mind))
        node.run("virsh", "-q", "suspend", booting)
        return {mind, booting}

    def _booting(self) -> set[str]:
        told = storm_watch.told(self.node)["guests"]
        return {each["name"] for each in told if each["state"] == "booting"} & storm_guests.running(self.node)

    def _held(self) -> set[str]:
        told = storm_watch.told(self.node)["guests"]
        return {each["name"] for each in told if each["state"] == "held"} & storm_guests.paused(self.node)

    def _look_back(self, since: float, people: set[str]) -> None:
        assert storm_guests.paused(self.node) == people, "only people's guests are paused"
        assert storm_watch.held_list(self.node) == {}
        found = flights(storm_watch.events(self.node, since=since))
        let_go = releases(found, but=people)
        self.seen += len(let_go)
        wrong = crowded(found, let_go, limit=LIMIT)
        assert wrong == [], "\n".join(wrong)
