"""A server that has forgotten its leases."""

from hostagent.health.api import Check, Example, State, judge_dhcp

CHECK = Check(
    code="DHCP_LEASES_LOST",
    group="dhcp",
    title="The DHCP server has lost its leases",
    severity=State.CRIT,
    meaning=(
        "The server answered the renewal of a lease with NAK: it does not know it. Its lease file "
        "was lost or replaced, and without --dhcp-authoritative it does not take guests at their "
        "word."
    ),
    impact=(
        "Guests are told to give up their address at once, and the server may give an address "
        "that is in use to another guest."
    ),
    evidence=(
        "hostagent dhcp probe NETWORK --renew",
        "hostagent dhcp status",
        "journalctl -b -t dnsmasq-dhcp",
    ),
    repair=(
        "Reported only. Restore the lease file, or add --dhcp-authoritative to the server and restart it."
    ),
    evaluate=judge_dhcp(
        "DHCP_LEASES_LOST",
        "network whose leases were lost",
        "networks whose leases were lost",
    ),
    examples=(
        Example(
            title="NAK",
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
layer = "renew"
outcome = "nak"
answered = 1
asked = 1
""",
        ),
        Example(
            title="a guest's renewal was refused",
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
layer = "passive"
outcome = "nak"
answered = 1
asked = 1
""",
        ),
        Example(
            title="renewed",
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
layer = "renew"
outcome = "ok"
answered = 1
asked = 1
""",
        ),
        Example(
            title="a unicast probe can't tell",
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
outcome = "ok"
answered = 18
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
