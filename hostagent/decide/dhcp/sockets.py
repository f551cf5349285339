"""Layer socket: who listens on port 67 in each namespace, and on what.

dnsmasq binds 0.0.0.0:67 and looks at its configuration only after receiving. The kernel gives a unicast
packet to one socket. An unbound one may get it although another is bound to the very device: the look-up
ends at the first reuseport group that it meets (net/ipv4/udp.c, udp4_lib_lookup2()), and which one that is
follows from the order of starts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hostagent.decide.dhcp.findings import MISSING, STALE, STUCK, UNBOUND, DhcpFinding, found, process
from hostagent.decide.dhcp.networks import name_of
from hostagent.model.plan import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from hostagent.decide.dhcp.networks import Network
    from hostagent.model.dhcp import Dhcp, Namespace, Server, UdpSocket


def judge_sockets(dhcp: Dhcp, served: Sequence[Network]) -> Iterator[DhcpFinding]:
    """Every finding that the sockets alone show."""
    servers = {each.pid: each for each in dhcp.servers}
    for namespace in dhcp.namespaces:
        if namespace.unread:
            continue
        here = [each for each in served if each.namespace == namespace.key]
        yield from _unbound(namespace, here, servers)
        yield from _stale(namespace, here, servers)
        yield from _stuck(namespace, here)
        yield from _deaf(namespace, here)


def _unbound(
    namespace: Namespace, here: Sequence[Network], servers: dict[int, Server]
) -> Iterator[DhcpFinding]:
    every = [each for each in namespace.sockets if not each.address]
    loose = [each for each in every if not each.ifindex]
    if len(every) < 2 or not loose:
        return
    count = f"{len(loose)} of {len(every)} sockets on port 67 {'is' if len(loose) == 1 else 'are'} unbound"
    for network in here:
        own = [each for each in loose if network.server.pid in each.pids]
        thieves = own or loose
        remedies = dict.fromkeys(_remedy(each, here, servers) for each in thieves)
        what = "its own server's" if own else "another server's"
        words = f"renewals may be lost: {count}, {what} among them; {'; '.join(remedies)}"
        yield found(UNBOUND, network, Severity.CRIT, words)


def _remedy(socket: UdpSocket, here: Sequence[Network], servers: dict[int, Server]) -> str:
    """What makes dnsmasq bind its socket to a device: exactly one --interface, there when it starts."""
    server = next((servers[pid] for pid in socket.pids if pid in servers), None)
    if server is None:
        return "it is no dnsmasq that serves DHCP: ss -lunp 'sport = :67' names it; let it bind to its device"
    who = process(server.pid)
    links = list(dict.fromkeys(each.link.name for each in here if each.server.pid == server.pid))
    options = " ".join(f"--interface={name}" for name in links) or "--interface=LINK"
    if len(links) > 1:
        return f"{who} serves {' and '.join(links)}: run one dnsmasq for each, with one --interface"
    if not server.binding:
        return f"{who}: add --bind-dynamic {options} and restart it"
    if not server.interfaces:
        return f"{who}: add {options} and restart it"
    if any(each.endswith("*") for each in server.interfaces):
        return f"{who}: replace --interface={server.interfaces[0]} by {options} and restart it"
    real = [each for each in dict.fromkeys(server.interfaces) if each != "lo"]
    if len(real) > 1:
        return f"{who} has {len(real)} --interface: leave {options} alone and restart it"
    return f"{who} was started before {real[0] if real else 'its link'} was there: restart it"


def _stale(
    namespace: Namespace, here: Sequence[Network], servers: dict[int, Server]
) -> Iterator[DhcpFinding]:
    indexes = {each.ifindex for each in namespace.links}
    for socket in namespace.sockets:
        if not socket.ifindex or socket.ifindex in indexes:
            continue
        for pid in socket.pids or (0,):
            words = f"deaf: its socket is bound to interface {socket.ifindex}, which is gone; "
            words += (
                f"restart {process(pid)}" if pid else "ss -lunp 'sport = :67' names the process; restart it"
            )
            hit = [each for each in here if each.server.pid == pid]
            server = servers.get(pid)
            if server is not None and server.no_ping:
                words += "; without --no-ping it would bind anew by itself"
            for network in hit:
                yield found(STALE, network, Severity.CRIT, words)
            if not hit:
                name = _name(namespace, server)
                yield DhcpFinding(code=STALE, object=name, severity=Severity.CRIT, detail=words)


def _stuck(namespace: Namespace, here: Sequence[Network]) -> Iterator[DhcpFinding]:
    for network in here:
        server = network.server
        if server.stopped:
            words = f"{process(server.pid)} is stopped (state T): kill -CONT {server.pid}"
            yield found(STUCK, network, Severity.CRIT, words)
            continue
        waiting = [s for s in namespace.sockets if s.inode in namespace.stuck and server.pid in s.pids]
        if waiting:
            words = (
                f"{waiting[0].queue} bytes wait on its socket and stay: {process(server.pid)} does not read "
                f"them (cat /proc/{server.pid}/wchan; restart it)"
            )
            yield found(STUCK, network, Severity.WARN, words)


def _deaf(namespace: Namespace, here: Sequence[Network]) -> Iterator[DhcpFinding]:
    listening = {pid for each in namespace.sockets for pid in each.pids}
    for network in here:
        server = network.server
        if server.pid not in listening and server.port == 67:
            words = f"{process(server.pid)} has no socket on port 67: restart it"
            yield found(MISSING, network, Severity.CRIT, words)


def _name(namespace: Namespace, server: Server | None) -> str:
    """What serves no network that can be told, such as after its link was deleted."""
    if server is None:
        return f"{namespace.name}/port 67"
    link = server.interfaces[0] if server.interfaces else f"process {server.pid}"
    return f"{server.network or name_of(namespace, link)}/-"
