"""The first part of `make soak-dhcp`: a million mutated packets, and none that raises or takes long."""

from __future__ import annotations

import time
from random import Random

from hostagent.act.dhcp.frame import parse_frame
from hostagent.act.dhcp.packet import parse
from hostagent.act.dhcp.pairing import Pairing
from tests.unit.act.dhcp_mutants import FRAMES, SEEDS, framed, mutant

SEED = 20261123
PACKETS = 1_000_000
_MOST_SECONDS = 0.25  # for one packet: nothing that is parsed here has more than 2048 bytes


def soak(packets: int = PACKETS, seed: int = SEED) -> str:
    """Every mutant through the parsers and the watcher; the result in words."""
    random = Random(seed)
    pairing = Pairing()
    began = time.monotonic()
    read = slowest = 0.0
    for number in range(packets):
        data = mutant(random, SEEDS if number % 2 else FRAMES)
        since = time.monotonic()
        if number % 2:
            read += parse(data) is not None
            pairing.take(framed(data), float(number))
        else:
            read += parse_frame(data) is not None
            pairing.take(data, float(number))
        slowest = max(slowest, time.monotonic() - since)
        if slowest > _MOST_SECONDS:
            raise SystemExit(f"packet {number} of seed {seed} took {slowest:.2f} s: {data.hex()}")
    seconds = time.monotonic() - began
    return (
        f"{packets:,} mutated packets, seed {seed}: no exception, the slowest {slowest * 1000:.1f} ms, "
        f"{read:,.0f} of them still read as something; {seconds:.0f} s in all"
    )


if __name__ == "__main__":
    print(soak())
