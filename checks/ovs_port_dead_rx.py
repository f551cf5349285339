"""The silent one: every light is green, and what the guest sends is lost."""

from hostagent.health.api import Check, Example, State, judge_drift

CHECK = Check(
    code="OVS_PORT_DEAD_RX",
    group="ovs",
    title="Userspace datapath ports that vswitchd does not listen on",
    severity=State.CRIT,
    grace=True,
    meaning=(
        "On the userspace datapath (datapath_type=netdev) the tap was deleted and made again under its "
        "row. vswitchd still listens on the old device: no packet socket of it is bound to the tap's "
        "present ifindex. OVSDB shows the new ifindex, an ofport and no error. It happens when "
        "ovsdb-server hangs for a few seconds while a guest with a fixed tap name stops and starts."
    ),
    impact=(
        "Everything that the guest sends is lost, while frames to the guest still arrive. The guest is "
        "off the network and every dashboard is green."
    ),
    evidence=(
        "cat /sys/class/net/PORT/ifindex",
        "ss -0np | grep ovs-vswitchd # no socket is bound to PORT",
        "ovs-vsctl --columns=ofport,ifindex,error list Interface PORT # looks healthy",
        "ip -s link show PORT # RX grows, yet nothing leaves the bridge",
    ),
    repair=(
        "`hostagent fix OVS_PORT_DEAD_RX` deletes the port, waits until vswitchd has applied that, and "
        "adds it again with the same ofport and every column and mirror. Two transactions are needed: "
        "vswitchd knows ports by name, so that a delete and an add in one transaction, or add-port "
        "--may-exist, changes nothing. Restarting the guest works too."
    ),
    evaluate=judge_drift("OVS_PORT_DEAD_RX", "port is deaf", "ports are deaf"),
    examples=(
        Example(
            title="no socket is bound to the tap",
            state=State.CRIT,
            objects=("br-int/vnet0",),
            host="""
packet_sockets = []

[[domain]]
name = "alice"
[[domain.interface]]
tap = "vnet0"
vlan = 100

[[link]]
name = "vnet0"
ifindex = 5

[[port]]
name = "vnet0"
vm = "alice"
tag = 100
""",
        ),
        Example(
            title="vswitchd listens on the tap",
            state=State.OK,
            host="""
packet_sockets = [5]

[[domain]]
name = "alice"
[[domain.interface]]
tap = "vnet0"
vlan = 100

[[link]]
name = "vnet0"
ifindex = 5

[[port]]
name = "vnet0"
vm = "alice"
tag = 100
""",
        ),
        Example(
            title="the kernel datapath has no packet sockets",
            state=State.OK,
            host="""
bridges = { br-int = "system" }
packet_sockets = []

[[domain]]
name = "alice"
[[domain.interface]]
tap = "vnet0"

[[link]]
name = "ovs-system"
ifindex = 2

[[link]]
name = "vnet0"
ifindex = 5
master = 2

[[port]]
name = "vnet0"
vm = "alice"
""",
        ),
        Example(
            title="the sockets could not be read",
            state=State.UNKNOWN,
            host="""
unavailable = { packet_sockets = "denied: only root may see the sockets of vswitchd" }
""",
        ),
    ),
)
