"""Networks that should have a server, by whoever keeps them, and have none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hostagent.decide.dhcp.findings import MISSING, DhcpFinding
from hostagent.model.dhcp import Keeper
from hostagent.model.plan import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hostagent.model.dhcp import Dhcp, Expected

_START = {
    Keeper.LIBVIRT: "a restart of virtnetworkd or libvirtd starts it again and leaves guests running",
    Keeper.NEUTRON: "systemctl restart neutron-dhcp-agent starts it again",
    Keeper.INCUS: "systemctl restart incus starts it again",
    Keeper.LXC: "systemctl restart lxc-net starts it again",
    Keeper.OTHER: "start it",
}


def judge_missing(dhcp: Dhcp) -> Iterator[DhcpFinding]:
    """One finding for each expected network without a server."""
    for each in dhcp.expected:
        if _served(dhcp, each):
            continue
        severity = Severity.CRIT
        words = f"{each.keeper} has it running, and no dnsmasq serves it; {_START[each.keeper]}"
        if not each.active:
            severity = Severity.WARN
            words = f"it is to start with the host and does not run (virsh net-start {each.network})"
        name = f"{each.network}/{each.address or '-'}"
        yield DhcpFinding(code=MISSING, object=name, severity=severity, detail=words)


def _served(dhcp: Dhcp, expected: Expected) -> bool:
    for server in dhcp.servers:
        if server.namespace != expected.namespace:
            continue
        if server.keeper is expected.keeper and server.network == expected.network:
            return True
        if expected.link and expected.link in server.interfaces:
            return True
    if expected.keeper is Keeper.LIBVIRT:
        return False
    # The files of the others outlive a reboot: without its link the network is not there yet.
    namespace = dhcp.namespace(expected.namespace)
    return namespace is None or bool(namespace.unread) or namespace.link(expected.link) is None
