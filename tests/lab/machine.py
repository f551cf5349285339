"""A node as processes: start it, look at it, wait for its daemons, stop it, clear up after it."""

import os
import re
import shutil
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.lab.cgroup import Cgroup
from tests.lab.overlay import UNSHARE
from tests.lab.paths import CHECKOUT, STATE, machine_name
from tests.lab.programs import LabError, run

_NSPAWN: Final = Path("/run/systemd/nspawn")
# Into the node's cgroup first, so that what a test starts in a node is the node's; then into its namespaces.
# setpriv: nsenter passes no signals on, but the program inside shall not outlive it.
_ENTER: Final = 'for door in "$1" "$2"; do echo $$ >"$door" || exit 125; done; shift 2; exec "$@"'
_ANSWERS: Final = (
    ("virsh", "-c", "qemu:///system", "uri"),
    ("ovs-vsctl", "--timeout=2", "show"),
    ("ovs-appctl", "--timeout=2", "version"),
)


@dataclass(frozen=True, slots=True)
class Machine:
    """The container of one node; whether it runs is read from its cgroup, never remembered."""

    name: str

    @property
    def folder(self) -> Path:
        return STATE / self.name

    @property
    def cgroup(self) -> Cgroup:
        return Cgroup(machine_name(self.name))

    def leader(self) -> int:
        """Return the pid, as the host sees it, of the node's PID 1."""
        leader = self.cgroup.leader()
        if leader is None:
            raise LabError(f"node {self.name} is off" if self.folder.is_dir() else f"no node {self.name}")
        return leader

    def enter(self, argv: Sequence[str]) -> list[str]:
        """Return the command line that runs `argv` inside the node."""
        doors = [str(door) for door in self.cgroup.doors]
        nsenter = ["nsenter", "-t", str(self.leader()), "-m", "-u", "-i", "-n", "-p", "-C", "-r", "-w", "--"]
        return ["sh", "-c", _ENTER, "sh", doors[0], doors[-1], *nsenter, "setpriv", "--pdeathsig=KILL", *argv]

    def environment(self) -> dict[str, str]:
        """Return what a program inside the node gets: not the host's variables."""
        path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
        terminal = os.environ.get("TERM", "dumb")
        return {"PATH": path, "HOME": "/root", "USER": "root", "LANG": "C.UTF-8", "TERM": terminal}

    def start(self, lowers: Sequence[str], *, timeout: float = 20.0) -> None:
        """Boot the disk and return when PID 1 is there."""
        self.clear()
        console = self.folder / "console.log"
        module = [sys.executable, "-m", "tests.lab.supervisor"]
        supervisor = [*UNSHARE, *module, str(self.folder), self.cgroup.name, self.name, ":".join(lowers)]
        # setsid --fork: no parent of ours, so no zombie and no terminal; the log instead of our own output.
        shell = 'exec setsid --fork "$@" >>"$0" 2>&1 </dev/null'
        run(["sh", "-c", shell, str(console), *supervisor], cwd=CHECKOUT)
        deadline = time.monotonic() + timeout
        seen = False
        while self.cgroup.leader() is None:
            populated = self.cgroup.populated()
            if time.monotonic() > deadline or (seen and not populated):
                raise LabError(f"node {self.name} does not boot\n{self.console_tail()}")
            seen = seen or populated
            time.sleep(0.01)

    def wait_ready(self, *, timeout: float = 60.0) -> None:
        """Return when libvirtd, ovsdb-server and vswitchd answer."""
        deadline = time.monotonic() + timeout
        for question in _ANSWERS:
            while (why := self._refusal(question)) is not None:
                if time.monotonic() > deadline or self.cgroup.leader() is None:
                    raise LabError(f"node {self.name} is not ready: {why}\n{self.console_tail()}")
                time.sleep(0.05)

    def _refusal(self, question: Sequence[str]) -> LabError | None:
        try:
            run(self.enter(question), timeout=5, env=self.environment(), shown_as=question)
        except LabError as error:
            return error
        return None

    def power_off(self, *, timeout: float = 120.0) -> None:
        """Shut down cleanly."""
        run(self.enter(["systemctl", "poweroff"]), check=False, timeout=30, env=self.environment())
        if not self.cgroup.wait_empty(timeout):
            raise LabError(f"node {self.name} does not power off\n{self.console_tail()}")
        self.clear()

    def kill(self) -> None:
        """SIGKILL PID 1 and all else at once: a power cut."""
        self.cgroup.kill()
        self.clear()

    def clear(self) -> None:
        """Remove what a dead container leaves on the host."""
        if self.cgroup.populated():
            raise LabError(f"node {self.name} is running")
        self.cgroup.remove()
        lock = self.folder / "nspawn.lock"
        if lock.is_file():
            (_NSPAWN / "locks" / lock.read_text()).unlink(missing_ok=True)
            lock.unlink()
        shutil.rmtree(_NSPAWN / "propagate" / self.cgroup.name, ignore_errors=True)

    def console_tail(self, lines: int = 15) -> str:
        try:
            text = (self.folder / "console.log").read_text(errors="replace")
        except FileNotFoundError:
            return "(no console log)"
        plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]|\r", "", text)
        return "\n".join(f"console: {line}" for line in plain.splitlines()[-lines:])
