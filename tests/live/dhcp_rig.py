"""Two guests' networks in network namespaces, with real dnsmasq and real DHCP clients (busybox udhcpc).

Everything is in namespaces called hadr<pid>…: they go with close(), or with the next rig after a crash.
"""

from __future__ import annotations

import contextlib
import os
import shlex
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Self

from hostagent.model.dhcp import ProbeTarget
from tests.live.dhcp_guest import NAMED, Guest, run

if TYPE_CHECKING:
    from collections.abc import Callable

NETWORKS = (1, 2)
_PREFIX = "hadr"


def soon(what: str, holds: Callable[[], object], seconds: float = 30.0) -> None:
    """Wait until it holds."""
    ends = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > ends:
            raise AssertionError(f"not within {seconds} s: {what}")
        time.sleep(0.01)


def reap() -> None:
    """Remove the rigs of processes that have ended."""
    for each in NAMED.glob(f"{_PREFIX}*-*") if NAMED.is_dir() else ():
        pid = each.name.removeprefix(_PREFIX).split("-")[0]
        if not Path("/proc", pid).exists():
            with contextlib.suppress(subprocess.CalledProcessError, ProcessLookupError):
                _drop(each.name)  # another rig may be about it as well


def _drop(name: str) -> None:
    for pid in run(f"ip netns pids {name}").split():
        os.kill(int(pid), signal.SIGKILL)
    run(f"ip netns del {name}")


class Rig:
    """``apart``: each network in a namespace of its own, as neutron has it."""

    def __init__(self, name: str, *, guests: int = 2, apart: bool = False) -> None:
        reap()
        self.name = f"{_PREFIX}{os.getpid()}-{name}"
        self._scratch = tempfile.TemporaryDirectory(prefix="dhcp-rig-")
        self.folder = Path(self._scratch.name)
        self.folder.chmod(0o777)
        self._apart = apart
        self._servers: dict[int, subprocess.Popen[bytes]] = {}
        self._extra: list[tuple[int, str]] = []
        self.guests: dict[int, list[Guest]] = {}
        for each in sorted({self.host(network) for network in NETWORKS}):
            run(f"ip netns add {each}")
            run(f"ip -n {each} link set lo up")
        for network in NETWORKS:
            self.guests[network] = [Guest(self, network, number) for number in range(guests)]
            self.make_bridge(network)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Remove everything."""
        self.reset()
        for guests in self.guests.values():
            for guest in guests:
                _drop(guest.name)
        for each in sorted({self.host(network) for network in NETWORKS}):
            _drop(each)
        self._scratch.cleanup()

    def reset(self) -> None:
        """No server, no client, no lease, no rule; bridges anew."""
        for guests in self.guests.values():
            for guest in guests:
                guest.stop()
        for network in tuple(self._servers):
            self.stop(network)
        for each in sorted({self.host(network) for network in NETWORKS}):
            self.inside(each, "nft flush ruleset")
            self.inside(each, "busybox sysctl -qw net.ipv4.conf.all.rp_filter=0")
        while self._extra:
            network, name = self._extra.pop()
            self.ip(network, f"link del {name}")
        for network in NETWORKS:
            self.leases(network).unlink(missing_ok=True)
            self.remove_bridge(network)
            self.make_bridge(network)

    def host(self, network: int) -> str:
        """The namespace that the network's bridge and server are in."""
        return f"{self.name}-h{network if self._apart else 0}"

    def inside(self, namespace: str, words: str) -> str:
        """Run a program in a namespace of the rig."""
        return run(f"nsenter --net=/run/netns/{namespace} {words}")

    def ip(self, network: int, words: str) -> str:
        """Run ip(8) where the network's bridge is."""
        return run(f"ip -n {self.host(network)} {words}")

    def make_bridge(self, network: int) -> None:
        """br1 or br2 with its address, its guests on it."""
        bridge = f"br{network}"
        self.ip(network, f"link add {bridge} address 52:54:00:77:00:0{network} type bridge")
        self.ip(network, f"addr add 10.77.{network}.1/24 dev {bridge}")
        self.ip(network, f"link set {bridge} up")
        for guest in self.guests.get(network, ()):
            self.ip(network, f"link set {guest.port} master {bridge} up")

    def remove_bridge(self, network: int) -> None:
        """As `virsh net-destroy` does."""
        self.ip(network, f"link del br{network}")

    def extra(self, network: int, name: str) -> None:
        """One more link with an address, until the next reset."""
        self.ip(network, f"link add {name} type bridge")
        self.ip(network, f"addr add 10.79.{network}.1/24 dev {name}")
        self.ip(network, f"link set {name} up")
        self._extra.append((network, name))

    def leases(self, network: int) -> Path:
        """The server's lease file."""
        return self.folder / f"{network}.leases"

    def server_log(self, network: int) -> Path:
        """What the server writes."""
        return self.folder / f"{network}.server"

    def serve(self, network: int, words: str, *, served: str = "", user: str = "root", port: int = 0) -> int:
        """Start the network's dnsmasq with these arguments; its pid."""
        log = self.server_log(network)
        log.write_text("")
        served = served or f"--dhcp-range=10.77.{network}.2,10.77.{network}.200,2m"
        argv = (
            f"setpriv --pdeathsig KILL nsenter --net=/run/netns/{self.host(network)} dnsmasq "
            "--keep-in-foreground --conf-file=/dev/null --pid-file= "
            f"--port={port} --user={user} --log-facility={log} "
            f"--dhcp-leasefile={self.leases(network)} {served} {words}"
        )
        with log.open("ab") as said:
            self._servers[network] = subprocess.Popen(shlex.split(argv), stderr=said)
        soon(f"dnsmasq of br{network} starts", lambda: "started" in log.read_text())
        return self._servers[network].pid

    def drop(self, hook: str, words: str) -> None:
        """A firewall that drops what nft(8)'s words match."""
        self.inside(self.host(1), "nft add table ip rig")
        chain = f"{{ type filter hook {hook} priority 0 ; }}"
        self.inside(self.host(1), f"nft add chain ip rig harm '{chain}'")
        self.inside(self.host(1), f"nft add rule ip rig harm {words} drop")

    def stop(self, network: int) -> None:
        """Kill the network's dnsmasq."""
        server = self._servers.pop(network)
        server.kill()
        server.wait()

    def serving(self, network: int) -> bool:
        """Whether the network has a server."""
        return network in self._servers

    def hang(self, network: int) -> None:
        """SIGSTOP."""
        self._servers[network].send_signal(signal.SIGSTOP)

    def lease_all(self) -> int:
        """Start every client; how many have an address."""
        everybody = [guest for guests in self.guests.values() for guest in guests]
        for guest in everybody:
            guest.start()
        ends = time.monotonic() + 30
        while time.monotonic() < ends and not all(guest.said("bound") for guest in everybody):
            time.sleep(0.02)
        return sum(guest.said("bound") > 0 for guest in everybody)

    def renew_all(self) -> dict[int, list[tuple[str, str]]]:
        """Have every client renew; of each network what its guests were answered to RENEW and REBIND."""
        results: dict[Guest, tuple[str, str]] = {}
        everybody = [guest for guests in self.guests.values() for guest in guests]
        threads = [Thread(target=guest.renew, args=(results,)) for guest in everybody]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return {network: [results[guest] for guest in guests] for network, guests in self.guests.items()}

    def names(self, network: int) -> str:
        """What the server's DNS says of its guests' addresses."""
        said = []
        for guest in self.guests[network]:
            asked = subprocess.run(
                shlex.split(
                    f"nsenter --net=/run/netns/{guest.name} busybox nslookup {guest.address()} {guest.server}"
                ),
                capture_output=True,
                text=True,
                check=False,
            )
            said.append(asked.stdout)
        return "".join(said)

    def settle(self, network: int) -> None:
        """Wait until the guests' neighbours are no longer in doubt (arp(7), delay_first_probe_time)."""
        soon(
            "known neighbours",
            lambda: (
                not any(
                    word in self.inside(guest.name, "ip neigh")
                    for guest in self.guests[network]
                    for word in ("DELAY", "PROBE", "INCOMPLETE")
                )
            ),
            15,
        )

    def target(self, network: int, *, ignores_unknown: bool = False) -> ProbeTarget:
        """The network as a probe gets it."""
        return ProbeTarget(
            network=f"net{network}",
            namespace=str(NAMED / self.host(network)),
            link=f"br{network}",
            kind="linux-bridge",
            server=f"10.77.{network}.1",
            prefix=f"10.77.{network}.0/24",
            ignores_unknown=ignores_unknown,
        )
