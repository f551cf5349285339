"""Turns of a campaign: power cut, boot, guests in other VLANs and another order, and what came of it."""

from __future__ import annotations

import random
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.lab.lab_guest import mac_of
from tests.lab.paths import CHECKOUT
from tests.lab.programs import LabError
from tests.live.look import alarms

if TYPE_CHECKING:
    from tests.lab import Node

GUESTS = 8
UNIT_DIR = "/usr/lib/systemd/system"
LOG = "var/log/openvswitch/ovs-vswitchd.log"
ERROR = "could not open network device vnet"
_VLANS = (None, 100, 200, 300)
_BRIDGES = ("br-int", "br-int", "br-int", "br-ext")


@dataclass(frozen=True, kw_only=True)
class Guest:
    name: str
    bridge: str
    vlan: int | None
    bandwidth: int | None


@dataclass(frozen=True, kw_only=True)
class Turn:
    """``lose`` records of OVSDB's file go with the power; ``undefined`` guests go before others start."""

    number: int
    guests: tuple[Guest, ...]
    lose: int = 0
    undefined: tuple[str, ...] = ()


@dataclass(kw_only=True)
class Result:
    turn: int
    lose: int
    undefined: int
    log_errors: int
    failed_starts: list[str] = field(default_factory=list)
    wrong_network: list[str] = field(default_factory=list)
    check: int | None = None
    alarms: list[str] = field(default_factory=list)

    @property
    def good(self) -> bool:
        return not (self.log_errors or self.failed_starts or self.wrong_network or self.check or self.alarms)

    def as_json(self) -> dict[str, Any]:
        return asdict(self) | {"good": self.good}


def plan(seed: int, count: int) -> list[Turn]:
    """Turn 0 starts the first guests, without a cut; every third loses records, every other drops guests."""
    dice = random.Random(seed)
    turns = []
    names = [f"c{number}" for number in range(GUESTS)]
    for number in range(count + 1):
        undefined = tuple(sorted(dice.sample(names, 2))) if number and number % 2 == 0 else ()
        names = [name for name in names if name not in undefined]
        names += [f"c{number}{letter}" for letter in "xy"][: GUESTS - len(names)]
        guests = [
            Guest(
                name=name,
                bridge=dice.choice(_BRIDGES),
                vlan=dice.choice(_VLANS),
                bandwidth=dice.choice((None, None, 500)),
            )
            for name in dice.sample(names, GUESTS)
        ]
        lose = dice.randint(1, 12) if number % 3 == 1 else 0
        turns.append(Turn(number=number, guests=tuple(guests), lose=lose, undefined=undefined))
    return turns


def install_units(node: Node) -> None:
    """The units as the package installs them, where the lab's layer does not have them yet."""
    if node.run("test", "-e", f"{UNIT_DIR}/hostagent-purge.service", check=False).returncode == 0:
        return
    units = CHECKOUT / "units"
    for path in units.rglob("*"):
        if path.is_file():
            node.put(path, f"{UNIT_DIR}/{path.relative_to(units)}", mode="644")
    node.run("systemctl", "daemon-reload")
    node.run("systemctl", "enable", "hostagent-purge.service")


def play(node: Node, turn: Turn, *, checked: bool) -> Result:
    """Cut the power (but for turn 0), boot, start the turn's guests and look."""
    log = Path(node.disk) / LOG
    offset = 0
    if turn.number:
        offset = log.stat().st_size
        node.power_cut(lose=turn.lose)
        node.boot()
    for name in turn.undefined:
        node.run("virsh", "-q", "undefine", name)
    result = Result(turn=turn.number, lose=turn.lose, undefined=len(turn.undefined), log_errors=0)
    for index, guest in enumerate(turn.guests, 1):
        ip = f"10.2.0.{index}/24"
        node.guest(guest.name, bridge=guest.bridge, vlan=guest.vlan, ip=ip, bandwidth=guest.bandwidth)
    running = []
    for guest in turn.guests:
        if node.run("virsh", "-q", "start", guest.name, check=False).returncode:
            result.failed_starts.append(guest.name)
        else:
            running.append(guest)
    result.wrong_network = _wrong(node, running)
    if checked:
        result.check = node.run("hostagent", "check", "--live", "-q", check=False).returncode
        result.alarms = sorted(alarms(node)) if result.check else []
    with log.open("rb") as file:
        file.seek(offset)
        result.log_errors = file.read().count(ERROR.encode())
    return result


def _wrong(node: Node, running: list[Guest]) -> list[str]:
    """Which guests' frames arrive where their XML does not say, or do not where it does.

    A port without a tag is a trunk: its guest hears every VLAN of the bridge.
    """
    taps = {guest.name: node.tap(guest.name) for guest in running}
    macs = {mac_of(guest.name): guest.name for guest in running}
    wished = {
        guest.name: {
            other.name
            for other in running
            if other.name != guest.name and other.bridge == guest.bridge and guest.vlan in {None, other.vlan}
        }
        for guest in running
    }
    heard: dict[str, set[str]] = {name: set() for name in taps}
    for _ in range(6):
        try:
            reached = node.reach(list(taps.values()), 2.0)
        except LabError as error:
            return [str(error)]
        for name, tap in taps.items():
            heard[name] |= {macs[mac] for mac in reached.get(tap, ()) if mac in macs} - {name}
        if all(wished[name] <= heard[name] for name in taps):
            break
    return [
        f"{name} hears {sorted(heard[name])}, not {sorted(wished[name])}"
        for name in sorted(taps)
        if heard[name] != wished[name]
    ]
