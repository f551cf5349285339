"""The life of the package on a node: what test_package.py asks and compares."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Final

from tests.lab import soon
from tests.lab.agent import INSTALL, package
from tests.lab.machine import Machine
from tests.lab.paths import STATE
from tests.lab.record import Record

if TYPE_CHECKING:
    from tests.lab import Node

# What a node may lack: the patterns of its packages, and the services that then are not there.
LIBVIRT: Final = ("libvirt-daemon*", "libvirt-clients", "qemu-system*")
OVS: Final = ("openvswitch-switch", "openvswitch-common")

OLDER: Final = "0.0.1"
UNITS: Final = ("hostagent-purge.service", "hostagent-ovs-ready.service")

# Changes without us, or by dpkg and sysusers on behalf of any package. The group stays: Debian policy (9.2)
# has no rule for the removal of users and groups, and files may still carry its number.
_OTHERS: Final = re.compile(
    r"/(var/(lib/(dpkg|apt|systemd|openvswitch|libvirt|libuuid)|log|cache|tmp)|run|etc/openvswitch)/"
    r"|/etc/(\.pwd\.lock|g?shadow-?|group-?|passwd-?)$|/__pycache__(/|$)"
)


def without(node: Node, *patterns: str) -> None:
    """Purge packages of the node's own."""
    if patterns:
        node.run(
            "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-y", "-q", "purge", *patterns, timeout=120
        )
        # Debian's purge leaves the database, by which hostagent takes Open vSwitch for installed.
        if OVS[0] in patterns:
            node.run("rm", "-rf", "/etc/openvswitch", "/var/lib/openvswitch", "/run/openvswitch")
        node.run("systemctl", "reset-failed")


def install(node: Node, version: str | None = None) -> None:
    """Install the package as an administrator does, with dpkg."""
    node.put(package(version), "/root/hostagent.deb")
    node.run(*INSTALL, "/root/hostagent.deb", timeout=120)
    node.run("rm", "/root/hostagent.deb")


def reboot(node: Node) -> None:
    """Reboot a node that may have neither libvirt nor Open vSwitch, which the lab's own reboot waits for."""
    machine, known = Machine(node.name), Record.read(STATE / node.name)
    assert known is not None
    machine.power_off()
    machine.start(known.lowers)
    done = {"running", "degraded"}
    assert soon(40, lambda: state(node) in done), node.out("systemctl", "list-jobs")


def state(node: Node) -> str:
    """What systemd says of the whole node."""
    return node.run("systemctl", "is-system-running", check=False).stdout.strip()


def failed(node: Node) -> str:
    return node.out("systemctl", "--failed", "--no-legend", "--plain")


def services(node: Node) -> dict[str, str]:
    """Each running service of others, with its process and the moment it became active."""
    listed = node.out(
        "systemctl", "list-units", "--type=service", "--state=running", "--plain", "--no-legend"
    )
    names = [line.split()[0] for line in listed.splitlines() if not line.startswith("hostagent")]
    wanted = "-pId,MainPID,NRestarts,ActiveEnterTimestampMonotonic"
    blocks = node.out("systemctl", "show", wanted, *names).split("\n\n")
    return dict(zip(names, blocks, strict=True))


def files(node: Node) -> set[str]:
    """Every file and directory that a package could leave."""
    found = node.out("find", "/etc", "/usr", "/var", "/root", "/opt", "/srv", "-xdev", timeout=120)
    return {path for path in found.splitlines() if not _OTHERS.search(f"{path}")}


def traces(node: Node) -> str:
    """Whatever carries our name, wherever it is; dpkg's own list of known packages has it gone too."""
    places = ["/etc", "/usr", "/var", "/run", "/root"]
    return node.out("find", *places, "-name", "*hostagent*", "-not", "-path", "/var/log/*", timeout=120)


def loaded(node: Node, *options: str) -> str:
    """Our units that systemd still knows."""
    return node.out("systemctl", "list-units", *options, "--plain", "--no-legend", "hostagent*")


def until_settled(node: Node) -> None:
    """Return when no job waits: a comparison then compares two quiet moments."""
    ends = time.monotonic() + 30
    while node.out("systemctl", "list-jobs", "--no-legend") and time.monotonic() < ends:
        time.sleep(0.2)
