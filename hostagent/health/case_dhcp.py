"""The ``[dhcp]`` of a host written in TOML. Without it the host has no DHCP server.

::

    [[dhcp.server]]                  # fields of model.dhcp.Server; ranges = FIRST,LAST,SECONDS
    pid = 11                         #   namespace: "" is the host's; hosts, host_seconds
    ranges = ["10.77.1.10,10.77.1.99,3600"]   # or static, infinite
    [[dhcp.link]]                    # name, ifindex, kind ("bridge"), addresses; namespace = ""
    name = "br1"
    [[dhcp.socket]]                  # pid, on = a link's name ("" unbound, "gone"); queue, stuck = true
    pid = 11
    on = "br1"
    [[dhcp.expected]]                # fields of model.dhcp.Expected;   [[dhcp.lease]] of model.dhcp.Lease
    [[dhcp.probe]]                   # fields of model.dhcp.ProbeReport, at = 0.0
    [dhcp.namespaces]                # key = its name, of namespaces beside the host's
    [dhcp.unread]                    # a namespace's key = why it could not be read
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hostagent.model.dhcp import (
    HOST,
    Dhcp,
    DhcpLink,
    DhcpRange,
    Expected,
    Keeper,
    Layer,
    Lease,
    Namespace,
    Outcome,
    ProbeReport,
    Server,
    UdpSocket,
)
from hostagent.model.host import Trouble, Unavailable

if TYPE_CHECKING:
    from collections.abc import Mapping

_GONE = 999  # an ifindex that no link has
_TUPLES = ("interfaces", "except_interfaces", "no_dhcp_interfaces", "listen", "relays")


def dhcp_of(raw: dict[str, Any]) -> Dhcp | Unavailable:
    """Read the table.

    Raises:
        TypeError, ValueError, KeyError: it has a key or value that the records of model/ don't have.
    """
    if not raw:
        return Unavailable(trouble=Trouble.ABSENT, reason="no dnsmasq serves DHCP here", since=0.0)
    unread = raw.pop("unread", {})
    names = {HOST: "host", **raw.pop("namespaces", {})}
    links: dict[str, list[DhcpLink]] = {key: [] for key in names}
    for item in raw.pop("link", []):
        of = links[item.pop("namespace", HOST)]
        of.append(DhcpLink(**_defaults(item, kind="bridge", ifindex=len(of) + 2, tuples=("addresses",))))
    servers = tuple(_server(item) for item in raw.pop("server", []))
    stuck: set[int] = set()
    sockets: dict[str, list[UdpSocket]] = {key: [] for key in names}
    for number, item in enumerate(raw.pop("socket", []), start=100):
        key = item.pop("namespace", HOST)
        stuck |= {number} if item.pop("stuck", False) else set()
        sockets[key].append(_socket(item, number, links[key]))
    found = Dhcp(
        namespaces=tuple(
            Namespace(
                key=key,
                name=name,
                inode=number,
                links=tuple(links[key]),
                sockets=tuple(sockets[key]),
                stuck=frozenset(stuck),
                unread=unread.get(key, ""),
            )
            for number, (key, name) in enumerate(names.items())
        ),
        servers=servers,
        expected=tuple(
            Expected(**item | {"keeper": Keeper(item["keeper"])}) for item in raw.pop("expected", [])
        ),
        leases=tuple(Lease(**{"expires": None, **item}) for item in raw.pop("lease", [])),
        probes=tuple(_probe(item) for item in raw.pop("probe", [])),
        unread=tuple(raw.pop("troubles", ())),
    )
    if raw:
        raise ValueError(f"dhcp has no {', '.join(sorted(raw))}")
    return found


def _server(item: dict[str, Any]) -> Server:
    ranges = tuple(_range(text) for text in item.pop("ranges", ()))
    item["keeper"] = Keeper(item.get("keeper", "dnsmasq"))
    item["hosts"] = frozenset(item.get("hosts", ()))
    item.setdefault("namespace", HOST)
    item.setdefault("binding", "bind-interfaces")
    return Server(ranges=ranges, **_defaults(item, tuples=_TUPLES))


def _range(text: str) -> DhcpRange:
    """Read FIRST, LAST or the word static, and SECONDS or the word infinite, with commas between them."""
    first, last, seconds = text.split(",")
    return DhcpRange(
        first=first,
        last="" if last == "static" else last,
        static=last == "static",
        lease_seconds=None if seconds == "infinite" else int(seconds),
    )


def _socket(item: dict[str, Any], number: int, links: list[DhcpLink]) -> UdpSocket:
    on, pid = item.pop("on", ""), item.pop("pid", 0)
    indexes = {"": 0, "gone": _GONE, **{each.name: each.ifindex for each in links}}
    return UdpSocket(inode=number, ifindex=indexes[on], pids=(pid,) if pid else (), **item)


def _probe(item: dict[str, Any]) -> ProbeReport:
    item["layer"], item["outcome"] = Layer(item["layer"]), Outcome(item["outcome"])
    return ProbeReport(**{"at": 0.0, **item})


def _defaults(item: Mapping[str, Any], *, tuples: tuple[str, ...], **defaults: object) -> dict[str, Any]:
    return defaults | {key: tuple(value) if key in tuples else value for key, value in item.items()}
