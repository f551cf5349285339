"""What a node leaves on the host, for the tests that want it to be nothing."""

from __future__ import annotations

from pathlib import Path

from tests.lab.cgroup import HIERARCHIES
from tests.lab.paths import STATE, machine_name


def traces(name: str) -> list[str]:
    """Return all that the host still knows about a node."""
    machine = machine_name(name)
    found = [str(top / machine) for top in HIERARCHIES if (top / machine).exists()]
    found += [str(path) for path in STATE.glob(f"*{name}*")]
    found += [str(path) for path in Path("/run/systemd/nspawn").rglob(f"*{machine}*")]
    found += [line for line in Path("/proc/self/mounts").read_text().splitlines() if f"/{name}/" in line]
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes().decode(errors="replace").split("\0")
            mounts = (process / "mounts").read_text()
        except OSError:
            continue
        if machine in words or f"{STATE}/{name}/upper" in mounts:
            found.append(f"process {process.name}: {' '.join(words)}")
    return found


def nspawn_locks() -> set[str]:
    return {path.name for path in Path("/run/systemd/nspawn/locks").glob("*")}
