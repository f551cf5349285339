"""The memory's part of `make bench`: the command at 200 domains, and what the agent spends on the memory.

The domains are paused and small: what costs is their number, not their size.
"""

from __future__ import annotations

import json
import os
from statistics import median

from tests import lab
from tests.bench_agent import DOMAINS, start_paused

_TURNS = 9
_PULSES = 200
_COMMANDS = {
    "hostagent memory": ["hostagent", "memory"],
    "hostagent memory fits": ["hostagent", "memory", "fits", "--memory", "4G", "--vcpus", "2", "--count"],
}
_SECONDS = """
import json, subprocess, sys, time
found = []
for turn in range(int(sys.argv[1]) + 1):
    begun = time.perf_counter()
    subprocess.run(sys.argv[2:], check=True, stdout=subprocess.DEVNULL)
    found.append(time.perf_counter() - begun)
print(json.dumps(found[1:]))
"""
# CPU seconds of this process: one look at the guests, one view with what is published of it, one pulse.
_SHARE = """
import json, sys, time
from statistics import median
from hostagent.config import Settings
from hostagent.decide.memory.view import felt, view
from hostagent.sources.guests_memory import GuestsMemoryReader
from hostagent.sources.memory import MemoryReader
def cpu(call, turns):
    found = []
    for _ in range(turns + 1):
        begun = time.process_time()
        result = call()
        found.append(time.process_time() - begun)
    return median(found[1:]), result
settings = Settings()
turns, pulses = int(sys.argv[1]), int(sys.argv[2])
reader, host = GuestsMemoryReader(settings.sources.libvirt_uri), MemoryReader()
reading, guests = cpu(reader.read, turns)
memory = host.read()
seen = view(memory, guests, settings.memory)
judging, _ = cpu(lambda: view(memory, guests, settings.memory, before=seen), turns)
begun = time.process_time()
for _ in range(pulses):
    seen = felt(seen, host.read())
pulse = (time.process_time() - begun) / pulses
agent = settings.agent
share = (reading + judging) / agent.interval_seconds + pulse / agent.pulse_seconds
print(json.dumps([len(guests.by_uuid), reading, judging, pulse, share]))
"""


def memory() -> list[str]:
    """Seconds of the command, and the agent's CPU for the memory at its usual pace."""
    node = lab.up("bench-memory", owner=os.getpid())
    lines = []
    try:
        start_paused(node)
        for what, command in _COMMANDS.items():
            argv = ("python3", "-c", _SECONDS, str(_TURNS), *command)
            took: list[float] = json.loads(node.run(*argv, timeout=300).stdout)
            figures = f"{median(took):.2f} s median, {max(took):.2f} s at most"
            lines.append(f"{what}, {DOMAINS} domains: {figures} (target 1 s)")
        argv = ("python3", "-c", _SHARE, str(_TURNS), str(_PULSES))
        guests, reading, judging, pulse, share = json.loads(node.run(*argv, timeout=300).stdout)
    finally:
        node.down()
    parts = f"guests {reading * 1e3:.0f} ms, view {judging * 1e3:.0f} ms a look, {pulse * 1e3:.2f} ms a pulse"
    return [
        *lines,
        f"agent's memory sections, {guests} domains: {parts}: {share:.2%} of a core (target 0.3 %)",
    ]
