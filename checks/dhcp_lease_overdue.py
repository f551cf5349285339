"""Running guests that did not renew their leases when they should have."""

from hostagent.health.api import Check, Example, State, judge_dhcp

CHECK = Check(
    code="DHCP_LEASE_OVERDUE",
    group="dhcp",
    title="Leases of running guests were not renewed when due",
    severity=State.CRIT,
    meaning=(
        "A client renews at half of its lease. A running guest has less than 40 % of its lease "
        "left (a warning), or less than 12.5 % or nothing (critical), so its renewals fail. "
        "Static addresses, paused guests and leases without end are no matter."
    ),
    impact=("The guest lives on rebinding at best; when that fails too it loses its address."),
    evidence=(
        "hostagent dhcp status",
        "cat /var/lib/libvirt/dnsmasq/BRIDGE.status",
        "cat /var/lib/misc/dnsmasq.leases",
    ),
    repair=(
        "Reported only. `hostagent dhcp probe NETWORK --renew` tells whether renewals reach the "
        "server. If they do, look inside the guest: it may use another address than the one it "
        "was given, or have asked for a shorter lease than the server's."
    ),
    evaluate=judge_dhcp(
        "DHCP_LEASE_OVERDUE",
        "network with overdue leases",
        "networks with overdue leases",
    ),
    examples=(
        Example(
            title="30 % left",
            state=State.WARN,
            objects=("br1/10.77.1.1",),
            host="""
taken_at = 10000.0
[[domain]]
name = "alice"
[[domain.interface]]
bridge = "br1"
ovs = false
mac = "52:54:00:00:00:01"
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
[[dhcp.lease]]
pid = 11
address = "10.77.1.20"
mac = "52:54:00:00:00:01"
expires = 11080.0
""",
        ),
        Example(
            title="expired",
            state=State.CRIT,
            objects=("br1/10.77.1.1",),
            host="""
taken_at = 10000.0
[[domain]]
name = "alice"
[[domain.interface]]
bridge = "br1"
ovs = false
mac = "52:54:00:00:00:01"
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
[[dhcp.lease]]
pid = 11
address = "10.77.1.20"
mac = "52:54:00:00:00:01"
expires = 9990.0
""",
        ),
        Example(
            title="just due",
            state=State.OK,
            host="""
taken_at = 10000.0
[[domain]]
name = "alice"
[[domain.interface]]
bridge = "br1"
ovs = false
mac = "52:54:00:00:00:01"
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
[[dhcp.lease]]
pid = 11
address = "10.77.1.20"
mac = "52:54:00:00:00:01"
expires = 11700.0
""",
        ),
        Example(
            title="paused",
            state=State.OK,
            host="""
taken_at = 10000.0
[[domain]]
name = "alice"
state = "paused"
reason = "user"
[[domain.interface]]
bridge = "br1"
ovs = false
mac = "52:54:00:00:00:01"
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
[[dhcp.lease]]
pid = 11
address = "10.77.1.20"
mac = "52:54:00:00:00:01"
expires = 9990.0
""",
        ),
        Example(
            title="no libvirt",
            state=State.SKIP,
            host="""
taken_at = 10000.0
[unavailable]
domains = "absent: libvirt is not installed on this host"

[[domain]]
name = "alice"
[[domain.interface]]
bridge = "br1"
ovs = false
mac = "52:54:00:00:00:01"
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
[[dhcp.lease]]
pid = 11
address = "10.77.1.20"
mac = "52:54:00:00:00:01"
expires = 9990.0
""",
        ),
        Example(
            title="libvirt hangs",
            state=State.UNKNOWN,
            host="""
taken_at = 10000.0
[unavailable]
domains = "unresponsive: libvirt did not answer within 5 s"

[[domain]]
name = "alice"
[[domain.interface]]
bridge = "br1"
ovs = false
mac = "52:54:00:00:00:01"
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
[[dhcp.lease]]
pid = 11
address = "10.77.1.20"
mac = "52:54:00:00:00:01"
expires = 9990.0
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
