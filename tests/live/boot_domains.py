"""The domains of the tests of hostagent boot, and how the command is run in their node."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from subprocess import CompletedProcess

    from tests.lab import Node

NOVA = """<metadata><nova:instance xmlns:nova="http://openstack.org/xmlns/libvirt/nova/1.1">
<nova:name>cloud</nova:name></nova:instance></metadata>"""
SITE = '<metadata><site:rack xmlns:site="urn:example:rack" number="4"/></metadata>'
DOMAIN = """<domain type='qemu'><name>{name}</name>{metadata}<memory unit='MiB'>8</memory><vcpu>1</vcpu>
<os><type arch='x86_64' machine='pc'>hvm</type></os>
<devices><emulator>/usr/bin/qemu-system-x86_64</emulator>
<video><model type='none'/></video><memballoon model='none'/></devices></domain>"""
NAMES = ("db", "web", "two words", "cloud", "off", "quiet")
CROWD = tuple(f"c{number:02}" for number in range(3))
# The command line, which dies before the change of that number.
CUT = """
import os, sys, libvirt
from hostagent.cli import main
left = [int(sys.argv.pop(1))]
def cut(call):
    def wrapped(*arguments):
        if not left[0]:
            os._exit(9)
        left[0] -= 1
        return call(*arguments)
    return wrapped
for name in ("setMetadata", "setAutostart"):
    setattr(libvirt.virDomain, name, cut(getattr(libvirt.virDomain, name)))
main()
"""
PACED = """[boot]
first_limit = 1
most_limit = 1
quiet_after_seconds = 600
timeout_seconds = 900
[agent]
pulse_seconds = 0.5
"""


def boot(node: Node, *words: str) -> CompletedProcess[str]:
    return node.run("hostagent", "boot", *words, check=False)


def autostarted(node: Node) -> set[str]:
    return set(node.out("virsh", "-q", "list", "--all", "--autostart", "--name").splitlines())


def xml(node: Node, name: str, *flags: str) -> str:
    """A domain's XML, without the empty element that libvirt leaves where metadata was."""
    return node.out("virsh", "dumpxml", *flags, name).replace("  <metadata/>\n", "").replace("'", '"')
