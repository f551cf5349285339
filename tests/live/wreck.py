"""A node with every kind of repair due at once, and ways to end hostagent in the middle of it."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.lab.machine import Machine
from tests.lab.programs import run
from tests.live.look import alarms, rows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from subprocess import CompletedProcess

    from tests.lab import Node

PLAIN, PROXIED = "/root/plain.toml", "/root/proxied.toml"
PROXY_SOCKET = "/run/proxy.sock"
GONE = "external_ids:vm-id=00000000-0000-4000-8000-0000000000aa"
# Drift of each kind: a column, a lost row, a deaf port with a mirror, stale rows with QoS, an orphan.
BREAK = f"""#!/bin/sh -e
ovs-vsctl --no-wait -- set Port vnet0 tag=9 -- --if-exists del-port vnet1 \\
 -- --id=@q create QoS type=linux-htb {GONE} external_ids:ifname=vnet90 \\
 -- add-port br-int vnet90 tag=5 qos=@q -- set Interface vnet90 {GONE} \\
 -- add-port br-ext vnet91 -- set Interface vnet91 {GONE} \\
 -- --id=@o create QoS type=linux-htb {GONE} external_ids:ifname=vnet92
ip link del tapdeaf
ip tuntap add dev tapdeaf mode tap
ip link set tapdeaf up
for i in 1 2 3 4 5 6 7 8 9 10; do
  ovs-vsctl --timeout=5 get Interface vnet90 ofport | grep -q -- -1 && exit 0
  sleep 0.1
done
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wreck:
    """A node, the rows as they should be, and the rows as ``break_it`` leaves them."""

    node: Node
    wished: dict[str, list[str]]
    broken: dict[str, list[str]]

    def break_it(self) -> None:
        self.node.run("/root/break")

    def fix(self, *, config: str = PLAIN, words: str = "fix --apply") -> CompletedProcess[str]:
        return self.node.run("hostagent", "--config", config, *words.split(), check=False, timeout=90)

    def killed_at(self, syscall: str, when: int, words: str = "fix --apply") -> bool:
        """Whether hostagent got so far that strace could kill it as it entered the call."""
        argv = Machine(self.node.name).enter(["hostagent", "--config", PLAIN, *words.split()])
        inject = f"inject={syscall}:signal=KILL:when={when}"
        traced = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={syscall}", "-e", inject, *argv]
        environment = Machine(self.node.name).environment()
        done = run(traced, check=False, timeout=90, env=environment)
        return done.returncode not in {0, 10, 11, 12}

    def killed_after(self, seconds: float) -> bool:
        """Whether hostagent still ran when it was killed."""
        argv = ("timeout", "-s", "KILL", f"{seconds:.3f}", "hostagent", "--config", PLAIN, "fix", "--apply")
        return self.node.run(*argv, check=False).returncode in {137, -9}

    @contextmanager
    def struck(self, kind: str, when: str, *strike: str) -> Iterator[None]:
        """Proxy OVSDB for PROXIED and strike before or after its first message of the kind (proxy.py)."""
        argv = ("python3", "/root/proxy.py", PROXY_SOCKET, kind, when, *strike)
        process = self.node.popen(*argv, stdout=-1)
        try:
            if process.stdout is not None:
                process.stdout.readline()
            yield
        finally:
            process.kill()
            process.wait()
            if process.stdout is not None:
                process.stdout.close()

    def recovered(self, how: str) -> None:
        """After the next fix, or undo, nothing is lost and every row is as wished, or as it was."""
        if how == "fix":
            done = self.fix()
            assert done.returncode == 0, done.stdout + done.stderr
            assert rows(self.node) == self.wished
            assert alarms(self.node) == set()
            return
        listed = self.node.run("hostagent", "history", "--json")
        if '"runs": []' not in listed.stdout:
            self.fix(words=f"undo {newest(listed.stdout)}")
        assert rows(self.node) == self.broken
        assert self.fix().returncode == 0
        assert rows(self.node) == self.wished


def newest(text: str) -> str:
    """The newest run's id in history's JSON."""
    return str(json.loads(text)["runs"][-1]["id"])


def wreck(make_node: Callable[[str], Node], name: str) -> Wreck:
    """Three guests in VLANs with bandwidth, one of them with a given tap name and a mirror."""
    node = make_node(name)
    for number, tap in ((1, None), (2, None), (3, "tapdeaf")):
        mac = f"52:54:00:00:0c:0{number}"
        node.guest(f"w{number}", bridge="br-int", vlan=40, mac=mac, bandwidth=400, tap=tap)
        node.start(f"w{number}")
    node.run(
        *"ovs-vsctl -- --id=@p get Port tapdeaf -- --id=@m create Mirror name=m select_src_port=@p "
        "select_dst_port=@p -- set Bridge br-int mirrors=@m".split()
    )
    node.put(Path(__file__).with_name("proxy.py"), "/root/proxy.py")
    node.write("/root/break", BREAK, mode="755")
    node.write(PLAIN, "[looks]\ngrace_seconds = 0.0\n")
    node.write(PROXIED, f'[looks]\ngrace_seconds = 0.0\n[sources]\novsdb_socket = "{PROXY_SOCKET}"\n')
    wished = rows(node)
    node.run("/root/break")
    broken = rows(node)
    made = Wreck(node=node, wished=wished, broken=broken)
    made.recovered("fix")
    return made
