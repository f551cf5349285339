"""A DHCP server that listens on an interface that is gone."""

from hostagent.health.api import Check, Example, State, judge_dhcp

CHECK = Check(
    code="DHCP_SOCKET_STALE",
    group="dhcp",
    title="A DHCP server's socket is bound to an interface that is gone",
    severity=State.CRIT,
    meaning=(
        "The socket on port 67 is bound to an interface number that no link has any more: the "
        "bridge was deleted and made again under the server. dnsmasq binds anew by itself since "
        "2.87, but not with --no-ping, for want of the capability."
    ),
    impact=("The server hears no unicast packet any more: no guest of this network can renew."),
    evidence=(
        'ss -lunpe "sport = :67"',
        "ip -d link",
    ),
    repair=(
        "Reported only. Restart the server (libvirt: restart virtnetworkd or libvirtd after "
        "killing its dnsmasq; running guests stay). Without --no-ping it would find the new "
        "bridge by itself."
    ),
    evaluate=judge_dhcp(
        "DHCP_SOCKET_STALE",
        "deaf server",
        "deaf servers",
    ),
    examples=(
        Example(
            title="bridge made again",
            state=State.CRIT,
            objects=("br2/10.77.2.1",),
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
no_ping = true
ranges = ["10.77.2.10,10.77.2.99,3600"]
[[dhcp.socket]]
pid = 11
on = "br1"
[[dhcp.socket]]
pid = 12
on = "gone"
""",
        ),
        Example(
            title="bridge deleted for good",
            state=State.CRIT,
            objects=("br3/-",),
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
interfaces = ["br3"]
ranges = ["10.77.2.10,10.77.2.99,3600"]
[[dhcp.socket]]
pid = 11
on = "br1"
[[dhcp.socket]]
pid = 12
on = "gone"
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
