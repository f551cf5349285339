"""A node's life: up, power cut, boot, reboot, down, and the reaping of nodes whose owner died."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Final

from tests.lab import layers, links, ovsdb_log, record
from tests.lab.agent import INSTALL, package
from tests.lab.layers import Layers
from tests.lab.machine import Machine
from tests.lab.owner import Owner
from tests.lab.paths import checked_name
from tests.lab.programs import LabError, run
from tests.lab.record import Record

CONF_DB: Final = "var/lib/openvswitch/conf.db"


def up(name: str, *, bare: bool, owner: int | None) -> None:
    """Make the node if need be, boot it if need be, and see that it has this checkout's hostagent."""
    checked_name(name)
    _need_root()
    reap()
    belongs = Owner.of(owner) if owner is not None else None
    stack = layers.ensure(bare=bare)
    with record.locked(name, create=True) as folder:
        known = Record.read(folder)
        if known is None:
            known = _make(name, folder, stack, belongs)
        elif belongs is not None:
            known = replace(known, owner=belongs)
            known.write(folder)
        _boot(name, known)
        if not known.born:
            _first_boot(Machine(name))
            known = replace(known, born=True)
            known.write(folder)
        if stack.agent is not None and known.agent != str(stack.agent):
            _install(Machine(name))
            replace(known, agent=str(stack.agent)).write(folder)


def boot(name: str) -> None:
    """Start the node from its disk; nothing to do when it runs."""
    reap()
    with record.locked(checked_name(name)) as folder:
        _boot(name, _known(name, folder))


def reboot(name: str) -> None:
    """Stop the node as systemd stops a host, then start it."""
    reap()
    with record.locked(checked_name(name)) as folder:
        known = _known(name, folder)
        Machine(name).power_off()
        _boot(name, known)


def power_cut(name: str, lose: int = 0) -> None:
    """Kill all of the node at once; then take the last `lose` records off OVSDB's file."""
    reap()
    with record.locked(checked_name(name)) as folder:
        Machine(name).leader()
        Machine(name).kill()
        if lose:
            ovsdb_log.cut(folder / "upper" / CONF_DB, lose)


def down(name: str) -> None:
    """Remove the node without a trace."""
    reap()
    with record.locked(checked_name(name)) as folder:
        _remove(name, folder)


def down_if_there(name: str) -> None:
    """Remove the node if there is one."""
    try:
        down(name)
    except LabError:  # there is none, or it was the rest of a dead process and went just now
        if name in record.names():
            raise


def reap() -> None:
    """Remove this checkout's nodes whose owner died, and what interrupted removals left."""
    for name in record.names():
        if _orphaned(record.owner(name)):
            try:
                with record.locked(name) as folder:
                    known = Record.read(folder)
                    if known is not None and _orphaned(known.owner):
                        _remove(name, folder)
            except LabError as error:
                # Somebody else was faster, or it can't be removed: neither is this caller's fault.
                print(f"lab: reaping {name}: {error}", file=sys.stderr)
    record.sweep()


def _orphaned(owner: Owner | None) -> bool:
    return owner is not None and not owner.alive()


def _remove(name: str, folder: Path) -> None:
    Machine(name).kill()
    record.discard(folder)


def _known(name: str, folder: Path) -> Record:
    known = Record.read(folder)
    if known is None:
        raise LabError(f"node {name} was never completely made: run up")
    return known


def _need_root() -> None:
    if os.geteuid() != 0:
        raise LabError("the lab needs root")


def _make(name: str, folder: Path, stack: Layers, owner: Owner | None) -> Record:
    known = Record(
        lowers=[str(lower) for lower in stack.lowers],
        agent=str(stack.agent) if stack.agent else None,
        owner=owner,
    )
    etc = folder / "upper" / "etc"
    etc.mkdir(parents=True, exist_ok=True)
    etc.chmod(0o755)
    etc.parent.chmod(0o755)
    for file, text in (
        ("hostname", f"{name}\n"),
        ("hosts", f"127.0.0.1 localhost\n127.0.1.1 {name}\n"),
        ("machine-id", f"{known.machine_id}\n"),
        ("resolv.conf", ""),
    ):
        (etc / file).write_text(text)
        (etc / file).chmod(0o644)
    known.write(folder)
    return known


def _boot(name: str, known: Record) -> None:
    machine = Machine(name)
    if machine.cgroup.leader() is None:
        machine.cgroup.kill()  # a supervisor that never got as far as PID 1
        machine.start(known.lowers)
    machine.wait_ready()
    links.restore(name, known)


def _first_boot(machine: Machine) -> None:
    argv = ["ovs-vsctl", "--timeout=10"]
    for bridge in ("br-int", "br-ext"):
        # A container has no openvswitch kernel module: the userspace datapath.
        argv += ["--", "--may-exist", "add-br", bridge, "--", "set", "Bridge", bridge, "datapath_type=netdev"]
    run(machine.enter(argv), timeout=20, env=machine.environment(), shown_as=argv)


def _install(machine: Machine) -> None:
    """Bring a node that stands on older layers, or on none, to this checkout's hostagent."""
    inside = "/root/hostagent.deb"
    with package().open("rb") as stream:
        put = machine.enter(["install", "-m", "644", "/dev/stdin", inside])
        done = subprocess.run(put, stdin=stream, capture_output=True, check=False, env=machine.environment())
    if done.returncode != 0:
        raise LabError(f"cannot renew hostagent in {machine.name}: {done.stderr.decode(errors='replace')}")
    argv = [*INSTALL, inside]
    run(machine.enter(argv), timeout=120, env=machine.environment(), shown_as=argv)
    run(machine.enter(["rm", inside]), timeout=20, env=machine.environment())
