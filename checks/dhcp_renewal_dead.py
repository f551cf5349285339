"""A network on which no renewal arrives."""

from hostagent.health.api import Check, Example, State, judge_dhcp

CHECK = Check(
    code="DHCP_RENEWAL_DEAD",
    group="dhcp",
    title="No DHCP renewal reaches its server",
    severity=State.CRIT,
    meaning=(
        "Packets sent to the server's address, as a guest renews its lease, were not answered, "
        "whatever port they came from."
    ),
    impact=(
        "Guests get an address and can't renew it. Rebinding (broadcast, at 87.5 % of the lease) "
        "hides it at best; a guest that misses it loses its address."
    ),
    evidence=(
        "hostagent dhcp status",
        "hostagent dhcp probe NETWORK --renew",
        'ss -lunpe "sport = :67"',
        "nft list ruleset",
    ),
    repair=(
        "Reported only. Where DHCP_SOCKET_UNBOUND or DHCP_SOCKET_STALE names the network, do what "
        "it says. Otherwise something drops unicast packets to udp port 67 on their way in: look "
        "at the host's firewall."
    ),
    evaluate=judge_dhcp(
        "DHCP_RENEWAL_DEAD",
        "network on which no renewal arrives",
        "networks on which no renewal arrives",
    ),
    examples=(
        Example(
            title="nobody answers",
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
outcome = "dead"
answered = 0
asked = 18
""",
        ),
        Example(
            title="the renewal was silent, the broadcast answered",
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
outcome = "dead"
answered = 0
asked = 18
[[dhcp.probe]]
network = "br1"
server = "10.77.1.1"
layer = "renew"
outcome = "rebind_only"
answered = 1
asked = 2
""",
        ),
        Example(
            title="it is the reply path",
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
[[dhcp.probe]]
network = "br1"
server = "10.77.1.1"
layer = "renew"
outcome = "reply_path"
answered = 0
asked = 2
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
            title="another process was asked",
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
[[dhcp.probe]]
network = "br1"
server = "10.77.1.1"
layer = "unicast"
outcome = "dead"
answered = 0
asked = 18
server_pid = 7
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
