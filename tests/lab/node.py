"""A compute node as tests see it."""

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from tests.lab import frames, lifecycle
from tests.lab.frames import Capture, Frame
from tests.lab.lab_guest import mac_of
from tests.lab.machine import Machine
from tests.lab.paths import STATE
from tests.lab.programs import LabError, run


@dataclass(frozen=True, slots=True)
class Node:
    """A handle: it holds nothing but the name, so any number of them may exist."""

    name: str

    @property
    def leader(self) -> int:
        """The pid of the node's PID 1 in the host's view; another one after each boot."""
        return Machine(self.name).leader()

    @property
    def running(self) -> bool:
        return Machine(self.name).cgroup.leader() is not None

    @property
    def disk(self) -> Path:
        """The node's own writable layer on the host: to look at and to edit while the node is off."""
        return STATE / self.name / "upper"

    @property
    def console(self) -> Path:
        return STATE / self.name / "console.log"

    def run(
        self,
        *argv: str,
        check: bool = True,
        timeout: float = 60.0,
        input: str | None = None,  # noqa: A002
    ) -> subprocess.CompletedProcess[str]:
        """Run a program inside; a ProgramError shows the command line, stdout and stderr."""
        machine = Machine(self.name)
        shown = [f"{self.name}$", *argv]
        environment = machine.environment()
        return run(
            machine.enter(argv), check=check, timeout=timeout, input=input, env=environment, shown_as=shown
        )

    def out(self, *argv: str, timeout: float = 60.0) -> str:
        """Run a program inside and return its stdout, stripped."""
        return self.run(*argv, timeout=timeout).stdout.strip()

    def popen(self, *argv: str, **options: Any) -> subprocess.Popen[str]:
        """Start a program inside; it dies with the returned process (its own daemons do not)."""
        machine = Machine(self.name)
        options = {"text": True, "stdin": subprocess.DEVNULL, "env": machine.environment(), **options}
        return subprocess.Popen(machine.enter(argv), **options)

    def put(self, source: Path | str, path: str, *, mode: str | None = None) -> None:
        """Copy a file into the node; folders are made, and a path that ends in / keeps the file's name."""
        file = Path(source)
        if not file.is_file():
            raise LabError(f"no file {file}")
        target = path + file.name if path.endswith("/") else path
        with file.open("rb") as stream:
            self._install(stream, target, mode or f"{file.stat().st_mode & 0o777:o}")

    def write(self, path: str, text: str, *, mode: str = "644") -> None:
        """Write a file inside the node."""
        # Through the node's own programs, never through /proc/PID/root: there an absolute symbolic link,
        # say /var/run, would lead to the host's files.
        self.run("install", "-D", "-m", mode, "/dev/stdin", path, input=text)

    def read(self, path: str) -> str:
        return self.run("cat", path).stdout

    def _install(self, stream: IO[bytes], path: str, mode: str) -> None:
        machine = Machine(self.name)
        argv = ["install", "-D", "-m", mode, "/dev/stdin", path]
        done = subprocess.run(
            machine.enter(argv), stdin=stream, capture_output=True, check=False, env=machine.environment()
        )
        if done.returncode != 0:
            raise LabError(f"{path}: {done.stderr.decode(errors='replace').strip()}")

    def guest(
        self,
        name: str,
        *,
        bridge: str = "br-int",
        vlan: int | None = None,
        ip: str | None = None,
        mac: str | None = None,
        bandwidth: int | None = None,
        kind: str = "ipxe",
        memory: int | None = None,
        disk: int | None = None,
        tap: str | None = None,
        autostart: bool = False,
    ) -> str:
        """Define a guest with lab-guest and return its MAC; it is not started."""
        options = {
            "--vlan": vlan,
            "--ip": ip,
            "--mac": mac,
            "--bandwidth": bandwidth,
            "--memory": memory,
            "--disk": disk,
            "--tap": tap,
        }
        words = [word for key, value in options.items() if value is not None for word in (key, str(value))]
        words += ["--kind", kind, *(["--autostart"] if autostart else [])]
        self.run("lab-guest", "define", name, "--bridge", bridge, *words)
        return mac if mac is not None else mac_of(name)

    def start(self, *names: str) -> None:
        """Start guests, in this order."""
        for name in names:
            self.run("virsh", "-q", "start", name)

    def tap(self, guest: str) -> str:
        """Return the tap of a running guest's first interface."""
        rows = [line.split() for line in self.out("virsh", "-q", "domiflist", guest).splitlines()]
        if not rows or rows[0][0] == "-":
            raise LabError(f"guest {guest} on {self.name} has no tap")
        return rows[0][0]

    def capture(self, taps: Sequence[str]) -> Capture:
        """Return a context manager that records the taps' frames from entry to exit."""
        return Capture(self.leader, taps)

    def frames(self, taps: Sequence[str], seconds: float = 2.0) -> dict[str, list[Frame]]:
        """Return the frames seen on each tap meanwhile, in both directions."""
        return frames.watch(self.leader, taps, seconds)

    def reach(self, taps: Sequence[str], seconds: float = 2.0) -> dict[str, set[str]]:
        """Return for each tap the MACs whose broadcasts arrive at the guest behind it."""
        return frames.reach(self.frames(taps, seconds))

    def power_cut(self, lose: int = 0) -> None:
        """Cut the power; the disk stays, without the last `lose` records of OVSDB's file."""
        lifecycle.power_cut(self.name, lose)

    def boot(self) -> None:
        lifecycle.boot(self.name)

    def reboot(self) -> None:
        lifecycle.reboot(self.name)

    def down(self) -> None:
        lifecycle.down(self.name)


def up(name: str, *, bare: bool = False, agent: bool = False, owner: int | None = None) -> Node:
    """Return a running node with this checkout's hostagent, or without it if `bare`.

    Only with `agent` does its daemon run, now and after boots: it would repair what tests break.
    """
    lifecycle.up(name, bare=bare, owner=owner)
    node = Node(name)
    if not bare and not agent:
        node.run("systemctl", "--quiet", "disable", "--now", "hostagent.service")
    return node
