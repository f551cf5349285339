"""A network whose server's unicast answers do not come back."""

from hostagent.health.api import Check, Example, State, judge_dhcp

CHECK = Check(
    code="DHCP_REPLY_PATH_BROKEN",
    group="dhcp",
    title="The DHCP server's answers do not come back",
    severity=State.CRIT,
    meaning=(
        "A lease was given, but neither the renewal nor the broadcast after it was answered: the "
        "server's replies to a client that has an address are lost, or it took no notice."
    ),
    impact=("No guest can renew or rebind: each loses its address when its lease ends."),
    evidence=(
        "hostagent dhcp probe NETWORK --renew",
        "ip route get GUEST-ADDRESS",
        "sysctl net.ipv4.conf.all.rp_filter net.ipv4.conf.LINK.rp_filter",
        "nft list ruleset",
    ),
    repair=(
        "Reported only. Look for a route to the network over another device, rp_filter=1 with "
        "such a route, and firewall rules on what the host sends from udp port 67."
    ),
    evaluate=judge_dhcp(
        "DHCP_REPLY_PATH_BROKEN",
        "network without answers",
        "networks without answers",
    ),
    examples=(
        Example(
            title="silent, silent",
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
outcome = "reply_path"
answered = 0
asked = 2
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
            title="the unicast probe was answered",
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
            title="silent, and it is not known where",
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
