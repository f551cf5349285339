"""Tables of sockets → verdicts, without any host."""

import pytest

from hostagent.decide.dhcp import judge
from hostagent.model.dhcp import HOST, Dhcp, DhcpLink, DhcpRange, Namespace, Server, UdpSocket
from hostagent.model.host import Trouble, Unavailable
from hostagent.model.plan import Severity

NO_DOMAINS = Unavailable(trouble=Trouble.ABSENT, reason="no libvirt", since=0.0)
LINKS = {1: "lo", 2: "br1", 3: "br2", 4: "br3"}
U, S, M, K = "UNBOUND", "STALE", "MISSING", "STUCK"

# Options of each server ("K:words", K its network), sockets ("K@link", "K@" unbound, "K@gone", "?@" another
# process's, "K@=address"), and codes by network.
TABLES: list[tuple[str, str, dict[str, str]]] = [
    ("1:I 2:I", "1@br1 2@br2", {}),
    ("1:I 2:I 3:I", "1@br1 2@br2 3@br3", {}),
    ("1:L 2:L", "1@ 2@", {"1": U, "2": U}),
    ("1:II 2:II", "1@ 2@", {"1": U, "2": U}),
    ("1:W 2:W", "1@ 2@", {"1": U, "2": U}),
    ("1:I 2:L", "1@br1 2@", {"1": U, "2": U}),
    ("1:L 2:I", "1@ 2@br2", {"1": U, "2": U}),
    ("1:I 2:I 3:L", "1@br1 2@br2 3@", {"1": U, "2": U, "3": U}),
    ("1:I 2:I", "1@ 2@", {"1": U, "2": U}),
    ("1:I 2:I", "1@br1 2@", {"1": U, "2": U}),
    ("1:L", "1@", {}),
    ("1:II", "1@", {}),
    ("1:W", "1@", {}),
    ("1:", "1@", {}),
    ("1:I", "1@br1", {}),
    ("1:I", "1@br1 ?@", {"1": U}),
    ("1:L", "1@ ?@br2", {"1": U}),
    ("1:L", "1@ ?@", {"1": U}),
    ("1:I", "1@br1 ?@br2", {}),
    ("1:L", "1@ ?@=10.9.0.1", {}),
    ("1:I", "1@br1 ?@=10.9.0.1", {}),
    ("1:I 2:I", "1@br1 2@gone", {"2": S}),
    ("1:I 2:I", "1@gone 2@gone", {"1": S, "2": S}),
    ("1:I", "1@gone", {"1": S}),
    ("1:I 2:L", "1@gone 2@", {"1": S + U, "2": U}),
    ("1:I 2:I", "1@br1", {"2": M}),
    ("1:I", "", {"1": M}),
    ("1:I 2:I", "", {"1": M, "2": M}),
    ("1:L 2:I", "1@", {"2": M}),
    ("1:I 2:I", "1@br1 2@br2+stuck", {"2": K}),
    ("1:I 2:I", "1@br1+stuck 2@br2+stuck", {"1": K, "2": K}),
    ("1:I 2:I", "1@br1+queue 2@br2", {}),
    ("1:IT", "1@br1", {"1": K}),
    ("1:IT 2:I", "1@br1+stuck 2@br2", {"1": K}),
    ("1:L 2:L", "1@+stuck 2@", {"1": U + K, "2": U}),
    ("1:A", "", {}),
    ("1:A 2:I", "2@br2", {}),
    ("1:IX", "1@br1", {}),
    ("1:LX", "1@", {}),
    ("1:R", "1@", {}),
    ("1:R 2:I", "1@br1 2@br2", {}),
    ("1:R 2:I", "1@ 2@br2", {"2": U}),
]


def server(word: str) -> Server:
    number, _, letters = word.partition(":")
    relays = ("10.77.1.1,10.9.0.1",) if "R" in letters else ()
    many = (f"br{number}", f"lan{number}")
    return Server(
        pid=10 + int(number),
        namespace=HOST,
        binding="bind-interfaces",
        interfaces=many[: letters.count("I")] or (("br*",) if "W" in letters else ()),
        listen=(f"10.77.{number}.1",) if "L" in letters else (),
        ranges=() if relays else (DhcpRange(first=f"10.77.{number}.50", last=f"10.77.{number}.99"),),
        relays=relays,
        stopped="T" in letters,
        port=1067 if "A" in letters else 67,
        ignores_unknown="X" in letters,
    )


def socket(number: int, word: str) -> UdpSocket:
    owner, _, rest = word.partition("@")
    on, _, more = rest.partition("+")
    index = {"": 0, "gone": 99, **{name: index for index, name in LINKS.items()}}
    return UdpSocket(
        inode=number,
        ifindex=0 if on.startswith("=") else index[on],
        address=on[1:] if on.startswith("=") else "",
        queue=832 if more else 0,
        pids=() if owner == "?" else (10 + int(owner),),
    )


def host(servers: str, sockets: str) -> Dhcp:
    listed = [socket(number, word) for number, word in enumerate(sockets.split())]
    links = tuple(
        DhcpLink(
            name=name,
            ifindex=index,
            kind="bridge",
            addresses=(f"10.77.{name[2:]}.1/24",) if name != "lo" else ("127.0.0.1/8",),
        )
        for index, name in LINKS.items()
    )
    stuck = frozenset(number for number, word in enumerate(sockets.split()) if "stuck" in word)
    here = Namespace(key=HOST, name="host", inode=1, links=links, sockets=tuple(listed), stuck=stuck)
    return Dhcp(namespaces=(here,), servers=tuple(server(word) for word in servers.split()))


@pytest.mark.parametrize(("servers", "sockets", "expected"), TABLES)
def test_table(servers: str, sockets: str, expected: dict[str, str]) -> None:
    found: dict[str, str] = {}
    for each in judge(host(servers, sockets), NO_DOMAINS, 0.0).findings:
        number = each.object.removeprefix("br")[0]
        assert each.object == f"br{number}/10.77.{number}.1"
        found[number] = found.get(number, "") + each.code.rpartition("_")[2]
    assert {key: sorted(value) for key, value in found.items()} == {
        key: sorted(value) for key, value in expected.items()
    }


@pytest.mark.parametrize(
    ("servers", "sockets", "words"),
    [
        ("1:I 2:L", "1@br1 2@", "dnsmasq (process 12): add --interface=br2 and restart it"),
        ("1:I 2:II", "1@br1 2@", "process 12) has 2 --interface: leave --interface=br2 alone"),
        ("1:I 2:W", "1@br1 2@", "process 12): replace --interface=br* by --interface=br2"),
        ("1:I 2:I", "1@br1 2@", "dnsmasq (process 12) was started before br2 was there: restart it"),
        ("1:I", "1@br1 ?@", "ss -lunp 'sport = :67' names it"),
    ],
)
def test_what_to_change(servers: str, sockets: str, words: str) -> None:
    (first, *_) = judge(host(servers, sockets), NO_DOMAINS, 0.0).of("DHCP_SOCKET_UNBOUND")
    assert first.severity is Severity.CRIT
    assert words in first.detail


def test_one_server_of_two_networks() -> None:
    both = Server(
        pid=11,
        namespace=HOST,
        ranges=(DhcpRange(first="10.77.1.50"), DhcpRange(first="10.77.2.50")),
        binding="bind-dynamic",
    )
    alone = Dhcp(namespaces=host("", "1@").namespaces, servers=(both,))
    assert judge(alone, NO_DOMAINS, 0.0).findings == ()
    shared = Dhcp(namespaces=host("", "1@ 3@br3").namespaces, servers=(both, server("3:I")))
    found = judge(shared, NO_DOMAINS, 0.0).of("DHCP_SOCKET_UNBOUND")
    assert [each.object for each in found] == ["br1/10.77.1.1", "br2/10.77.2.1", "br3/10.77.3.1"]
    assert "serves br1 and br2: run one dnsmasq for each" in found[0].detail
