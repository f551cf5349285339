"""One network with its server, for tests that judge it."""

from dataclasses import replace
from typing import Any

from hostagent.decide.dhcp import judge
from hostagent.health.case import parse_host
from hostagent.model.dhcp import HOST, Dhcp, DhcpLink, DhcpRange, Namespace, Server, UdpSocket
from hostagent.model.host import Trouble, Unavailable

NOW = 100_000.0
MAC = "52:54:00:00:00:01"
GONE = Unavailable(trouble=Trouble.ABSENT, reason="not installed", since=0.0)
SERVER = Server(
    pid=11,
    namespace=HOST,
    binding="bind-dynamic",
    interfaces=("br1",),
    ranges=(DhcpRange(first="10.77.1.50", last="10.77.1.99", lease_seconds=1000),),
)
LINK = DhcpLink(name="br1", ifindex=2, kind="bridge", addresses=("10.77.1.1/24",))
SOCKET = UdpSocket(inode=5, ifindex=2, pids=(11,))


def dhcp(server: Server = SERVER, link: DhcpLink = LINK, queue: int = 0, **fields: Any) -> Dhcp:
    place = Namespace(
        key=server.namespace,
        name=server.namespace.rpartition("/")[2] or "host",
        inode=1,
        links=(link,),
        sockets=(replace(SOCKET, queue=queue),),
    )
    return Dhcp(namespaces=(place,), servers=(server,), **fields)


def codes(seen: Dhcp, host: str = "") -> dict[str, str]:
    found = judge(seen, parse_host(host).domains, NOW).findings
    return {each.code.removeprefix("DHCP_"): str(each.severity) for each in found}
