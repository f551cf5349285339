"""Several DHCP servers in one network namespace, one of which takes the others' renewals."""

from hostagent.health.api import Check, Example, State, judge_dhcp

CHECK = Check(
    code="DHCP_SOCKET_UNBOUND",
    group="dhcp",
    title="An unbound DHCP socket shares port 67",
    severity=State.CRIT,
    meaning=(
        "Two or more sockets listen on port 67 in one network namespace, and one of them is not "
        "bound to a device. dnsmasq binds its socket only with exactly one --interface that is "
        "there when it starts; with several, a wildcard, or --listen-address alone it does not, "
        "in any version."
    ),
    impact=(
        "A renewal is unicast, and the kernel may hand it to a dnsmasq that does not serve its "
        "network, which drops it without a word. Guests get an address and lose it later, or live "
        "on rebinding. Which networks are hit follows from the order in which the servers were "
        "started: a restart may turn it round."
    ),
    evidence=(
        'ss -lunpe "sport = :67"',
        'ip netns exec NAMESPACE ss -lunpe "sport = :67"',
        "hostagent dhcp status",
    ),
    repair=(
        "Reported only. Do to each server what the finding says, --interface=LINK as a rule, or "
        "give each network a namespace of its own. Upgrading dnsmasq does not help. `hostagent "
        "dhcp probe NETWORK` shows whether renewals arrive."
    ),
    evaluate=judge_dhcp(
        "DHCP_SOCKET_UNBOUND",
        "network that may lose its renewals",
        "networks that may lose their renewals",
    ),
    examples=(
        Example(
            title="the second has --listen-address alone",
            state=State.CRIT,
            objects=("br1/10.77.1.1", "br2/10.77.2.1"),
            host="""
[[dhcp.link]]
name = "br1"
addresses = ["10.77.1.1/24"]
[[dhcp.link]]
name = "br2"
addresses = ["10.77.2.1/24"]
[[dhcp.server]]
pid = 11
interfaces = ["br1"]
ranges = ["10.77.1.10,10.77.1.99,3600"]
[[dhcp.server]]
pid = 12
listen = ["10.77.2.1"]
ranges = ["10.77.2.10,10.77.2.99,3600"]
[[dhcp.socket]]
pid = 11
on = "br1"
[[dhcp.socket]]
pid = 12
""",
        ),
        Example(
            title="one without interface, alone in its namespace, as neutron starts it",
            state=State.OK,
            host="""
[dhcp.namespaces]
"/run/netns/qdhcp-1" = "qdhcp-1"
[[dhcp.link]]
namespace = "/run/netns/qdhcp-1"
name = "tap1"
addresses = ["10.0.0.2/24"]
[[dhcp.server]]
pid = 11
namespace = "/run/netns/qdhcp-1"
keeper = "neutron"
network = "1"
binding = "bind-dynamic"
ranges = ["10.0.0.0,static,86400"]
[[dhcp.socket]]
namespace = "/run/netns/qdhcp-1"
pid = 11
""",
        ),
        Example(
            title="each bound to its bridge",
            state=State.OK,
            host="""
[[dhcp.link]]
name = "br1"
addresses = ["10.77.1.1/24"]
[[dhcp.link]]
name = "br2"
addresses = ["10.77.2.1/24"]
[[dhcp.server]]
pid = 11
interfaces = ["br1"]
ranges = ["10.77.1.10,10.77.1.99,3600"]
[[dhcp.server]]
pid = 12
interfaces = ["br2"]
ranges = ["10.77.2.10,10.77.2.99,3600"]
[[dhcp.socket]]
pid = 11
on = "br1"
[[dhcp.socket]]
pid = 12
on = "br2"
""",
        ),
        Example(
            title="a namespace that can't be entered",
            state=State.UNKNOWN,
            host="""
[[dhcp.link]]
name = "br1"
addresses = ["10.77.1.1/24"]
[[dhcp.link]]
name = "br2"
addresses = ["10.77.2.1/24"]
[[dhcp.server]]
pid = 11
interfaces = ["br1"]
ranges = ["10.77.1.10,10.77.1.99,3600"]
[[dhcp.server]]
pid = 12
interfaces = ["br2"]
ranges = ["10.77.2.10,10.77.2.99,3600"]
[[dhcp.socket]]
pid = 11
on = "br1"
[[dhcp.socket]]
pid = 12
on = "br2"
[dhcp.unread]
"" = "network namespace host can't be read"
""",
        ),
        Example(
            title="no server at all",
            state=State.SKIP,
            host="""
""",
        ),
        Example(
            title="not root",
            state=State.UNKNOWN,
            host="""
[unavailable]
dhcp = "denied: dnsmasq (process 11): its network namespace can't be read (run as root)"
""",
        ),
    ),
)
