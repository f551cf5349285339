"""libvirt, systemd and the clock in a test's hands, for the releaser's loop."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from hostagent.act.boot.held import HeldList
from hostagent.config import Settings
from hostagent.daemon.boots import autostart
from hostagent.daemon.notify import Notifier
from hostagent.daemon.releaser import Releaser
from hostagent.decide.boot.releasing import Pace
from hostagent.model.boot_guests import BootGuest, BootWish
from hostagent.model.boot_held import Held
from hostagent.model.guests import DomainState
from hostagent.sources.boot import read_boot_id

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from hostagent.act.boot.connection import GuestError
    from hostagent.errors import RefusedError
    from hostagent.sources.deadline import ReadError


class World:
    """libvirt, systemd and the clock; ``did`` is what was done to guests, and when."""

    def __init__(self, tmp_path: Path) -> None:
        paths = Settings().paths
        self.paths = replace(
            paths,
            state_dir=str(tmp_path / "state"),
            run_dir=str(tmp_path / "run"),
            stop_file=str(tmp_path / "stop"),
        )
        self.settings = replace(Settings(), paths=self.paths)
        self.now = 1000.0
        self.node = "running"
        self.agent = {"ActiveState": "inactive", "ExecMainCode": "2", "ExecMainStatus": "15"}
        self.guests: dict[str, BootGuest] = {}
        self.did: list[tuple[str, float]] = []
        self.errors: dict[str, GuestError | RefusedError] = {}
        self.unreadable: ReadError | None = None
        self.at: dict[float, Callable[[], object]] = {}
        self.held = HeldList(self.paths.state_dir)
        autostart.keep(self.paths.run_dir, frozenset())

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        assert self.now < 5000, "it never ends"
        for when in sorted(self.at):
            if when <= self.now:
                self.at.pop(when)()

    def monotonic(self) -> float:
        return self.now

    def time(self) -> float:
        return self.now

    def add(self, name: str, *, held: bool = True, kind: str = "held") -> None:
        self.guests[name] = BootGuest(uuid=name, name=name, id=1, state=DomainState.PAUSED, reason="user")
        if held:
            self.held.put(
                Held(uuid=name, name=name, id=1, boot_id=read_boot_id(), since=900, reason="limit", kind=kind)
            )

    def adopt(self, name: str) -> None:
        wish = BootWish(adopted=True)
        self.guests[name] = BootGuest(uuid=name, name=name, id=None, state=DomainState.SHUTOFF, wish=wish)

    def run(self, *, forced: bool = False) -> bool:
        return Releaser(self.settings, Notifier(), Pace(), forced=forced).run()

    # What BootReader and Guests do.

    def all(self) -> tuple[BootGuest, ...]:
        if self.unreadable is not None:
            raise self.unreadable
        return tuple(self.guests.values())

    def act(self, what: str, uuid: str) -> bool:
        if error := self.errors.get(uuid):
            self.did.append((f"failed {what} {uuid}", self.now))
            raise error
        self.did.append((f"{what} {uuid}", self.now))
        self.guests[uuid] = replace(self.guests[uuid], id=1, state=DomainState.RUNNING)
        return True

    def fakes(self) -> dict[str, Any]:
        """What hostagent.daemon.releaser has by these names."""
        world = self

        class Reader:
            def __init__(self, *_: object, **__: object) -> None:
                self.guests = world.all

            def figures_of(self, _: str) -> None:
                return None

        class Fake:
            def __init__(self, _: str) -> None:
                pass

            def saved(self, _: str) -> bool:
                return False

            def resume(self, uuid: str, _: int) -> bool:
                return world.act("resume", uuid)

            def start(self, uuid: str) -> int:
                return int(world.act("start", uuid))

            def unslow(self, uuid: str, *_: object) -> bool:
                return world.act("unslow", uuid)

        return {
            "BootReader": Reader,
            "Guests": Fake,
            "time": self,
            "node_state": lambda: self.node,
            "agent_state": lambda: self.agent,
            "start_again": lambda: self.did.append(("agent", self.now)),
        }
