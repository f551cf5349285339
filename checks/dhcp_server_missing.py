"""A network that should have a DHCP server and has none."""

from hostagent.health.api import Check, Example, State, judge_dhcp

CHECK = Check(
    code="DHCP_SERVER_MISSING",
    group="dhcp",
    title="A network has no DHCP server",
    severity=State.CRIT,
    meaning=(
        "libvirt, neutron, incus or lxc-net has this network running with DHCP, and no dnsmasq "
        "serves it; or its dnsmasq has no socket on port 67; or a probe was offered no lease. A "
        "warning says that a network which is to start with the host does not run."
    ),
    impact=("Guests get no address, and running ones lose theirs when the lease ends."),
    evidence=(
        "virsh net-list --all",
        "journalctl -b -t dnsmasq-dhcp -u virtnetworkd -u libvirtd",
        'ss -lunpe "sport = :67"',
    ),
    repair=(
        "Reported only. Start the server again as the finding says; `virsh net-destroy` and `net- "
        "start` would take every guest's port off the bridge."
    ),
    evaluate=judge_dhcp(
        "DHCP_SERVER_MISSING",
        "network without a server",
        "networks without a server",
    ),
    examples=(
        Example(
            title="libvirt's dnsmasq was killed",
            state=State.CRIT,
            objects=("default/192.168.122.1",),
            host="""
[[dhcp.link]]
name = "virbr0"
addresses = ["192.168.122.1/24"]
[[dhcp.expected]]
network = "default"
keeper = "libvirt"
link = "virbr0"
address = "192.168.122.1"
""",
        ),
        Example(
            title="it is to start with the host and does not run",
            state=State.WARN,
            objects=("default/192.168.122.1",),
            host="""
[[dhcp.expected]]
network = "default"
keeper = "libvirt"
link = "virbr0"
address = "192.168.122.1"
active = false
""",
        ),
        Example(
            title="alive, without a socket",
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
""",
        ),
        Example(
            title="no lease was offered",
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
[[dhcp.probe]]
network = "br1"
server = "10.77.1.1"
layer = "renew"
outcome = "no_offer"
answered = 0
asked = 1
""",
        ),
        Example(
            title="served",
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
""",
        ),
        Example(
            title="libvirt's networks could not be read",
            state=State.UNKNOWN,
            host="""
[dhcp]
troubles = ["libvirt's networks did not answer within 5 s"]
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
