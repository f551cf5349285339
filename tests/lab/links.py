"""A veth between two nodes, made straight in their network namespaces: the host never sees it."""

from dataclasses import replace
from pathlib import Path
from typing import Final

from tests.lab import record
from tests.lab.machine import Machine
from tests.lab.paths import STATE, checked_name
from tests.lab.programs import LabError, run
from tests.lab.record import Link, Record

_MARK: Final = "# lab link"


def link(first: str, second: str) -> Link:
    """Connect two running nodes, for good: later boots restore it. Return the first node's end."""
    one, two = sorted((checked_name(first), checked_name(second)))
    if one == two:
        raise LabError("a link needs two nodes")
    with record.locked(one) as folder, record.locked(two) as other:
        known, peer = _known(one, folder), _known(two, other)
        ends = next(((mine, _mirror(one, mine, peer)) for mine in known.links if mine.peer == two), None)
        if ends is None:
            device, peer_device = f"lab{_free(known)}", f"lab{_free(peer)}"
            network = f"10.99.{_free_network()}"
            mine = Link(peer=two, device=device, address=f"{network}.1", peer_address=f"{network}.2")
            theirs = Link(peer=one, device=peer_device, address=f"{network}.2", peer_address=f"{network}.1")
            replace(known, links=[*known.links, mine]).write(folder)
            replace(peer, links=[*peer.links, theirs]).write(other)
            ends = (mine, theirs)
        _connect(one, two, *ends)
    return ends[0] if first == one else ends[1]


def restore(name: str, known: Record) -> None:
    """Make again, after a boot, the links to those peers that run."""
    for mine in known.links:
        peer = Record.read(STATE / mine.peer)
        theirs = next((end for end in peer.links if end.peer == name), None) if peer else None
        if theirs is not None and Machine(mine.peer).cgroup.leader() is not None:
            _connect(name, mine.peer, mine, theirs)


def _connect(one: str, two: str, mine: Link, theirs: Link) -> None:
    first, second = Machine(one), Machine(two)
    present = ["ip", "link", "show", mine.device]
    if run(first.enter(present), check=False, env=first.environment()).returncode != 0:
        leaders = str(first.leader()), str(second.leader())
        ends = [mine.device, "netns", leaders[0], "type", "veth", "peer", theirs.device, "netns", leaders[1]]
        run(["ip", "link", "add", *ends])
    for machine, end in ((first, mine), (second, theirs)):
        # Names too: libvirt's migration asks the destination for its host name and connects to that.
        line = f"{end.peer_address} {end.peer} {_MARK}"
        hosts = f"sed -i '/ {end.peer} {_MARK}$/d' /etc/hosts && echo '{line}' >>/etc/hosts"
        for argv in (
            ["ip", "address", "replace", f"{end.address}/30", "dev", end.device],
            ["ip", "link", "set", end.device, "up"],
            ["sh", "-c", hosts],
        ):
            run(machine.enter(argv), timeout=20, env=machine.environment(), shown_as=argv)


def _known(name: str, folder: Path) -> Record:
    Machine(name).leader()  # or say that it is off
    known = Record.read(folder)
    if known is None:
        raise LabError(f"no node {name}")
    return known


def _mirror(name: str, mine: Link, peer: Record) -> Link:
    for end in peer.links:
        if end.peer == name:
            return end
    # The peer is a new node of the old name.
    device = f"lab{_free(peer)}"
    theirs = Link(peer=name, device=device, address=mine.peer_address, peer_address=mine.address)
    replace(peer, links=[*peer.links, theirs]).write(STATE / mine.peer)
    return theirs


def _free(known: Record) -> int:
    used = {end.device for end in known.links}
    return next(number for number in range(1000) if f"lab{number}" not in used)


def _free_network() -> int:
    records = [known for name in record.names() if (known := Record.read(STATE / name))]
    used = {end.address.split(".")[2] for known in records for end in known.links}
    return next(number for number in range(1, 255) if str(number) not in used)
