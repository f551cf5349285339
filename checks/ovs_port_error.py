"""A running guest's port that vswitchd could not open."""

from hostagent.health.api import Check, Example, State, judge_drift

CHECK = Check(
    code="OVS_PORT_ERROR",
    group="ovs",
    title="Running guests' ports that vswitchd reports an error for",
    severity=State.CRIT,
    grace=True,
    meaning=(
        "vswitchd could not open a running guest's port: its ofport is -1 or not assigned, or its error "
        "column is set. It is normal for an instant after a start, so that two looks must agree."
    ),
    impact="The guest has no network.",
    evidence=(
        "ovs-vsctl --columns=name,ofport,error list Interface PORT",
        "ip link show PORT",
        "ovs-vsctl show",
        "journalctl -u ovs-vswitchd --since -1h",
    ),
    repair=(
        "Read the error first: `Device or resource busy` means that another datapath or Linux bridge "
        "holds the tap (ip -d link show PORT). `hostagent fix OVS_PORT_ERROR` deletes the port and adds "
        "it again in two transactions with every column. Where the tap itself is gone, only a restart of "
        "the guest, or detaching and attaching its interface, brings it back."
    ),
    evaluate=judge_drift("OVS_PORT_ERROR", "errored port", "errored ports"),
    examples=(
        Example(
            title="vswitchd could not add the device",
            state=State.CRIT,
            objects=("br-int/vnet0",),
            host="""
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
ofport = -1
error = "could not add network device vnet0 to ofproto (Device or resource busy)"
""",
        ),
        Example(
            title="the tap of a running guest is gone",
            state=State.CRIT,
            objects=("br-int/vnet0",),
            host="""
[[domain]]
name = "alice"
[[domain.interface]]
tap = "vnet0"

[[port]]
name = "vnet0"
vm = "alice"
ofport = -1
""",
        ),
        Example(
            title="no error",
            state=State.OK,
            host="""
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
            title="a shut-off guest's errored row is OVS_PORT_STALE",
            state=State.OK,
            host="""
[[port]]
name = "vnet0"
vm = "gone"
ofport = -1
error = "could not open network device vnet0 (No such device)"
""",
        ),
    ),
)
