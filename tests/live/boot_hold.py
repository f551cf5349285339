"""Runs in a node: does to guests what the pacer does, as the package has it.

boot_hold.py hold NAME…          suspend, and note it in the held list first and with its counters afterwards
boot_hold.py slow IOPS NAME…     limit their disks, and leave it as if killed before that was noted
boot_hold.py adopt PRIORITY NAME
"""

import sys
import time
from dataclasses import replace

from hostagent.act.boot.guests import Guests
from hostagent.act.boot.held import Held, HeldList
from hostagent.model.boot_wish import BootWish
from hostagent.sources.boot import read_boot_id
from hostagent.sources.boots.reader import BootReader

URI = "qemu:///system"
guests, reader, held = Guests(URI), BootReader(URI), HeldList("/var/lib/hostagent")
by_name = {guest.name: guest for guest in reader.guests()}


def entry(name: str) -> Held:
    guest = by_name[name]
    assert guest.id is not None
    return Held(
        uuid=guest.uuid,
        name=name,
        id=guest.id,
        boot_id=read_boot_id(),
        since=time.time(),
        reason="3 boots running, limit 3",
    )


def hold(names: list[str]) -> None:
    noted = [entry(name) for name in names]
    held.put(*noted)
    for each in noted:
        assert guests.suspend(each.uuid, each.id), each.name
    counted = [(each, reader.figures_of(each.uuid)) for each in noted]
    held.put(
        *(
            replace(each, requests=figures.requests, vcpu_seconds=figures.vcpu_seconds)
            for each, figures in counted
            if figures is not None
        )
    )


def slow(iops: int, names: list[str]) -> None:
    for each in (replace(entry(name), kind="slowed", iops=iops) for name in names):
        held.put(each)
        assert guests.slow(each.uuid, each.id, iops), each.name


match sys.argv[1]:
    case "hold":
        hold(sys.argv[2:])
    case "slow":
        slow(int(sys.argv[2]), sys.argv[3:])
    case "adopt":
        guests.wish(by_name[sys.argv[3]].uuid, BootWish(priority=int(sys.argv[2]), adopted=True))
