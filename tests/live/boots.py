"""What systemd's journal tells of one boot of a node: when units began and ended to start and to stop."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.lab import Node

# systemd/sd-messages.h
_EVENTS = {
    "7d4958e842da4a758f6c1cdc7b36dcc5": "starting",
    "39f53479d3a045ac8e11786248231fbf": "started",
    "de5b426a63be47a7b6ac3eaac82e2f6f": "stopping",
    "9d1aaa27d60140bd96365438aad20286": "stopped",
}
OVS, LIBVIRT, GUESTS = "ovs-vswitchd.service", "libvirtd.service", "libvirt-guests.service"
NOVA = "nova-compute.service"
_SCOPE = re.compile(r"machine-qemu.*\.scope")


@dataclass(frozen=True, kw_only=True)
class Event:
    """``at`` is seconds since the epoch; ``place`` is the event's in the journal."""

    place: int
    at: float
    unit: str
    what: str


def events(node: Node, boot: int) -> list[Event]:
    """Of boot 0 (this one), -1 (the last), …"""
    argv = ("journalctl", "-b", str(boot), "-o", "json", "_PID=1", "--no-pager")
    found = []
    for place, line in enumerate(node.run(*argv).stdout.splitlines()):
        raw = json.loads(line)
        if (what := _EVENTS.get(raw.get("MESSAGE_ID", ""))) and "UNIT" in raw:
            at = int(raw["__REALTIME_TIMESTAMP"]) / 1e6
            found.append(Event(place=place, at=at, unit=raw["UNIT"], what=what))
    return found


def wrong_stops(found: list[Event]) -> list[str]:
    """Which of nova, guests, libvirt and Open vSwitch began to stop before what needs it had stopped."""
    scopes = sorted({each.unit for each in found if _SCOPE.fullmatch(each.unit)})
    pairs = [(GUESTS, scope) for scope in scopes] + [(scope, LIBVIRT) for scope in scopes]
    pairs += [(scope, OVS) for scope in scopes] + [(GUESTS, LIBVIRT), (GUESTS, OVS), (LIBVIRT, OVS)]
    if any(each.unit == NOVA for each in found):
        pairs.append((NOVA, GUESTS))
    return _wrong(found, pairs, "stopped", "stopping")


def wrong_starts(found: list[Event]) -> list[str]:
    """Which of libvirt and libvirt-guests began to start before Open vSwitch had started."""
    return _wrong(found, [(OVS, LIBVIRT), (OVS, GUESTS), (LIBVIRT, GUESTS)], "started", "starting")


def _wrong(found: list[Event], pairs: list[tuple[str, str]], done: str, begun: str) -> list[str]:
    places: dict[tuple[str, str], Event] = {}
    for each in found:
        places.setdefault((each.unit, each.what), each)
    wrong = []
    for first, second in pairs:
        end, begin = places.get((first, done)), places.get((second, begun))
        begin = begin or places.get((second, {"stopping": "stopped", "starting": "started"}[begun]))
        if end is None or begin is None:
            if begin is not None:
                wrong.append(f"{first} was never seen to be {done}")
        elif begin.place < end.place:
            wrong.append(f"{second} was {begun} {end.at - begin.at:.1f} s before {first} had {done}")
    return wrong
