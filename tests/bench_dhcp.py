"""The unicast probe beside check_dhcp and dhcping (Debian's packages): what each says of each fault.

`.venv/bin/python -m tests.bench_dhcp`, as root; ``lines()`` is for `make bench`. The two others are unpacked
into a folder that goes with the run, unless they are installed. They run in a guest's namespace, as they
would have to: from the host neither sends what a guest sends.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from random import Random
from statistics import median
from typing import TYPE_CHECKING

from hostagent.act.dhcp.probe import probe_unicast
from hostagent.config import Settings
from hostagent.config.records import Paths, Sources
from hostagent.model.dhcp import Outcome
from tests.live.dhcp_rig import NETWORKS, Rig
from tests.live.dhcp_rows import ROWS, Row

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

SEED = 20261123
_PLUGINS = "/usr/lib/nagios/plugins"
_PACKAGES = {"check_dhcp": "monitoring-plugins-basic", "dhcping": "dhcping"}
_TOOLS = {
    "check_dhcp": "check_dhcp -s {server} -i eth0 -t 4",
    "dhcping": "dhcping -s {server} -c {address} -h {mac} -q -t 2",
    "dhcping, INFORM": "dhcping -i -s {server} -c {address} -h {mac} -q -t 2",
}


def tool(rig: Rig, network: int, words: str) -> tuple[bool, float]:
    """Whether the tool is content with the network, and its seconds."""
    guest = rig.guests[network][0]
    filled = words.format(server=guest.server, address=guest.address(), mac=guest.mac)
    argv = ["nsenter", f"--net=/run/netns/{guest.name}", *filled.split()]
    began = time.monotonic()
    done = subprocess.run(argv, capture_output=True, check=False, timeout=30)
    return done.returncode == 0, time.monotonic() - began


def ours(rig: Rig, network: int, settings: Settings) -> tuple[bool, float]:
    """The same of the unicast probe, its port made and removed."""
    began = time.monotonic()
    report = probe_unicast(rig.target(network), settings)
    return report.outcome is Outcome.OK, time.monotonic() - began


def said(contents: Sequence[bool], truth: Sequence[bool]) -> str:
    """In a table: which networks the tool complains of, and whether these are the broken ones."""
    names = [f"net{network}" for network, fine in zip(NETWORKS, contents, strict=True) if not fine]
    right = "" if list(contents) == list(truth) else " **wrong**"
    return (", ".join(names) or "all fine") + right


def compare(rig: Rig, row: Row, settings: Settings, seconds: dict[str, list[float]]) -> str:
    """A line of the table. A tool that gives guests' leases back comes last."""
    rig.reset()
    random = Random(SEED)
    row.serve(rig, random)
    rig.lease_all()
    row.harm(rig, random)
    seen = [all(renewed == "ack" for renewed, _ in answers) for answers in rig.renew_all().values()]
    # In a split it is chance which guests are hit: what counts is that some will be.
    truth = [fine and Outcome.SPLIT not in row.unicast[place] for place, fine in enumerate(seen)]
    broken = [f"net{network}" for network, fine in zip(NETWORKS, truth, strict=True) if not fine]
    cells = [row.name, ", ".join(broken) or "none"]
    for name, words in {"unicast probe": "", **_TOOLS}.items():
        if words and shutil.which(words.split()[0]) is None:
            cells.append("not installed")
            continue
        results = [tool(rig, n, words) if words else ours(rig, n, settings) for n in NETWORKS]
        if row.name == "bound":
            seconds.setdefault(name, []).extend(took for _, took in results)
        cells.append(said([fine for fine, _ in results], truth))
    return f"| {' | '.join(cells)} |"


@contextmanager
def tools(folder: str) -> Iterator[None]:
    """check_dhcp and dhcping on PATH, from packages that are unpacked into ``folder`` and not installed."""
    before = os.environ["PATH"]
    os.environ["PATH"] += os.pathsep + _PLUGINS
    try:
        for program, package in _PACKAGES.items():
            if shutil.which(program) is None:
                words = ("apt-get", "-qq", "-o", "APT::Sandbox::User=root", "download", package)
                fetched = subprocess.run(words, cwd=folder, capture_output=True, check=False, timeout=120)
                for file in Path(folder).glob(f"{package}_*.deb") if fetched.returncode == 0 else ():
                    subprocess.run(["dpkg-deb", "-x", file, folder], check=True, timeout=60)
        os.environ["PATH"] += "".join(f"{os.pathsep}{folder}{each}" for each in ("/usr/sbin", _PLUGINS))
        yield
    finally:
        os.environ["PATH"] = before


def lines() -> Iterator[str]:
    """The table, then the cost on a healthy network."""
    seconds: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as folder, tools(folder), Rig("b") as rig:
        settings = Settings(paths=Paths(run_dir=folder), sources=Sources(ovsdb_socket=f"{folder}/none"))
        names = ["fault", "broken for guests", "unicast probe", *_TOOLS]
        yield f"| {' | '.join(names)} |"
        yield f"|{'---|' * len(names)}"
        for row in ROWS:
            yield compare(rig, row, settings, seconds)
        rig.reset()
        ROWS[0].serve(rig, Random(SEED))
        rig.lease_all()
        seconds["unicast probe"] = [ours(rig, 1, settings)[1] for _ in range(20)]
    yield ""
    for name, taken in seconds.items():
        yield f"{name}: {median(taken) * 1000:.0f} ms on a healthy network (median of {len(taken)})"


if __name__ == "__main__":
    for line in lines():
        print(line, flush=True)
