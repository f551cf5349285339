"""A guest of the DHCP rig: a namespace with a port on a bridge, a lease, and its renewals."""

from __future__ import annotations

import os
import shlex
import socket
import struct
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from hostagent.act.dhcp.namespace import inside

if TYPE_CHECKING:
    from tests.live.dhcp_rig import Rig

NAMED = Path("/run/netns")
# Called by udhcpc with bound, renew, nak, deconfig or leasefail; address and prefix are in the environment.
_SCRIPT = """#!/bin/sh
case $1 in
bound|renew) ip addr replace $ip/24 dev $interface; ip route replace default via ${router:-$serverid} || : ;;
deconfig) ip addr flush dev $interface; ip link set $interface up ;;
esac
echo "$1 ${ip:-none}" >> %s
"""


def run(words: str) -> str:
    """A program's output; it must succeed."""
    return subprocess.run(shlex.split(words), check=True, capture_output=True, text=True).stdout


class Guest:
    """A client in a namespace of its own, with a port on a bridge.

    Its lease is udhcpc's, its renewals are sent from here: udhcpc opens its socket
    after it has asked, and on a network this short misses answers.
    """

    def __init__(self, rig: Rig, network: int, number: int) -> None:
        self.name = f"{rig.name}-g{network}{number}"
        self.port = f"p{network}{number}"
        self.mac = f"52:54:00:77:{network:02x}:{number:02x}"
        self.server = f"10.77.{network}.1"
        self.log = rig.folder / f"{self.name}.log"
        self._script = rig.folder / f"{self.name}.sh"
        self._script.write_text(_SCRIPT % self.log)
        self._script.chmod(0o755)
        self._client: subprocess.Popen[bytes] | None = None
        run(f"ip netns add {self.name}")
        run(
            f"ip -n {rig.host(network)} link add {self.port} type veth "
            f"peer name eth0 address {self.mac} netns {self.name}"
        )
        run(f"ip -n {self.name} link set eth0 up")

    def start(self, *, stays: bool = False) -> None:
        """Ask for a lease; ``stays``: and renew it in good time."""
        self.log.write_text("")
        run(f"ip -n {self.name} addr flush dev eth0")
        words = f"busybox udhcpc -f {'' if stays else '-q'} -t 3 -T 1 -A 1 -i eth0 -s {self._script}"
        self._client = subprocess.Popen(
            shlex.split(f"setpriv --pdeathsig KILL nsenter --net=/run/netns/{self.name} {words}"),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def stop(self) -> None:
        """End the client without a release."""
        if self._client is not None:
            self._client.kill()
            self._client.wait()
            self._client = None

    def said(self, word: str) -> int:
        """How often the client has come to this."""
        return sum(line.startswith(word) for line in self.log.read_text().splitlines())

    def address(self) -> str:
        """The address it was given."""
        return self.log.read_text().split("bound ")[1].split()[0]

    def renew(self, results: dict[Guest, tuple[str, str]]) -> None:
        """RENEW, and where that is silent REBIND: "ack", "nak" or "" for each."""
        opened = inside(str(NAMED / self.name), self._open)
        with opened:
            request = self._request()
            renewed = self._ask(opened, request, self.server)
            results[self] = (renewed, "" if renewed else self._ask(opened, request, "255.255.255.255"))

    def _open(self) -> socket.socket:
        opened = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        opened.bind(("", 68))
        opened.settimeout(0.7)
        return opened

    def _request(self) -> bytes:
        """A DHCPREQUEST with ciaddr set (RFC 2131, 4.3.2)."""
        mac = bytes.fromhex(self.mac.replace(":", ""))
        head = struct.pack("!BBBB4sHH", 1, 1, 6, 0, os.urandom(4), 0, 0)
        addresses = socket.inet_aton(self.address()) + bytes(12)
        return (
            head
            + addresses
            + mac.ljust(16 + 192, b"\0")
            + b"\x63\x82\x53\x63\x35\x01\x03\xff".ljust(64, b"\0")
        )

    @staticmethod
    def _ask(opened: socket.socket, request: bytes, to: str) -> str:
        opened.sendto(request, (to, 67))
        try:
            while True:
                answer = opened.recv(2048)
                if answer[4:8] == request[4:8]:
                    return {5: "ack", 6: "nak"}[answer[answer.index(b"\x35\x01", 240) + 2]]
        except TimeoutError:
            return ""
