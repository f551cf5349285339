"""A DHCP server that lives and does not work."""

from hostagent.health.api import Check, Example, State, judge_dhcp

CHECK = Check(
    code="DHCP_SERVER_STUCK",
    group="dhcp",
    title="A DHCP server does not read what it is sent",
    severity=State.CRIT,
    meaning=(
        "Something has waited in the server's receive queue for 2 s, or its process is stopped, "
        "or it answered no probe while its queue was not empty."
    ),
    impact=(
        "No guest of this network gets or renews a lease while this lasts. Packets beyond the "
        "queue's size are dropped."
    ),
    evidence=(
        'ss -lunpe "sport = :67"',
        "cat /proc/PID/status /proc/PID/wchan",
        "cat /proc/pressure/io",
    ),
    repair=(
        "Reported only. A stopped process goes on with kill -CONT. One that hangs in a --dhcp- "
        "script or on its disk must be restarted when that is cured."
    ),
    evaluate=judge_dhcp(
        "DHCP_SERVER_STUCK",
        "server that does not work",
        "servers that do not work",
    ),
    examples=(
        Example(
            title="a queue that stays",
            state=State.WARN,
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
queue = 832
stuck = true
""",
        ),
        Example(
            title="stopped by a signal",
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
stopped = true
[[dhcp.socket]]
pid = 11
on = "br1"
""",
        ),
        Example(
            title="no answer to a probe, and a queue",
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
queue = 832
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
            title="a packet has just come in",
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
queue = 832
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
