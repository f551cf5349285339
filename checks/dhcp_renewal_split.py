"""A network on which a part of the renewals arrives."""

from hostagent.health.api import Check, Example, State, judge_dhcp

CHECK = Check(
    code="DHCP_RENEWAL_SPLIT",
    group="dhcp",
    title="A part of the DHCP renewals reaches another server",
    severity=State.CRIT,
    meaning=(
        "Of packets sent to the server's address from several ports some were answered and some "
        "not, in two rounds: the kernel shares them out between sockets, and the other one does "
        "not serve this network."
    ),
    impact=(
        "A part of the guests, the same ones each time, can't renew, and gets along by rebinding at best."
    ),
    evidence=(
        "hostagent dhcp status",
        "hostagent dhcp probe NETWORK --renew",
        'ss -lunpe "sport = :67"',
    ),
    repair=("Reported only. See DHCP_SOCKET_UNBOUND, which says what to change."),
    evaluate=judge_dhcp(
        "DHCP_RENEWAL_SPLIT",
        "network that loses a part of its renewals",
        "networks that lose a part of their renewals",
    ),
    examples=(
        Example(
            title="a half",
            state=State.CRIT,
            objects=("br1/10.77.1.1",),
            host="""
[[dhcp.link]]
name = "br1"
addresses = ["10.77.1.1/24"]
[[dhcp.server]]
pid = 11
interfaces = ["br1"]
ranges = ["10.77.1.10,10.77.1.99,3600"]
[[dhcp.socket]]
pid = 11
on = "br1"
[[dhcp.probe]]
network = "br1"
server = "10.77.1.1"
layer = "unicast"
outcome = "split"
answered = 9
asked = 18
""",
        ),
        Example(
            title="all answered",
            state=State.OK,
            host="""
[[dhcp.link]]
name = "br1"
addresses = ["10.77.1.1/24"]
[[dhcp.server]]
pid = 11
interfaces = ["br1"]
ranges = ["10.77.1.10,10.77.1.99,3600"]
[[dhcp.socket]]
pid = 11
on = "br1"
[[dhcp.probe]]
network = "br1"
server = "10.77.1.1"
layer = "unicast"
outcome = "ok"
answered = 18
asked = 18
""",
        ),
        Example(
            title="none answered: that is another code",
            state=State.OK,
            host="""
[[dhcp.link]]
name = "br1"
addresses = ["10.77.1.1/24"]
[[dhcp.server]]
pid = 11
interfaces = ["br1"]
ranges = ["10.77.1.10,10.77.1.99,3600"]
[[dhcp.socket]]
pid = 11
on = "br1"
[[dhcp.probe]]
network = "br1"
server = "10.77.1.1"
layer = "unicast"
outcome = "dead"
answered = 0
asked = 18
""",
        ),
        Example(
            title="not probed",
            state=State.SKIP,
            host="""
[[dhcp.link]]
name = "br1"
addresses = ["10.77.1.1/24"]
[[dhcp.server]]
pid = 11
interfaces = ["br1"]
ranges = ["10.77.1.10,10.77.1.99,3600"]
[[dhcp.socket]]
pid = 11
on = "br1"
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
