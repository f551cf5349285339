"""Kernel datapath: row and tap exist, but the datapath does not have the tap."""

from hostagent.health.api import Check, Example, State, judge_drift

CHECK = Check(
    code="OVS_PORT_UNATTACHED",
    group="ovs",
    title="Kernel datapath ports that the datapath does not have",
    severity=State.CRIT,
    grace=True,
    meaning=(
        "A running guest's row and tap exist on a bridge of the kernel datapath, but the tap's master is "
        "not ovs-system, or vswitchd's datapath has no port of that name. Open vSwitch heals most of "
        "these by itself within a moment, so that two looks must agree."
    ),
    impact="The guest has no network at all: its frames never reach the switch.",
    evidence=(
        "ip -d link show PORT # must say: master ovs-system",
        "ovs-appctl dpif/show",
        "journalctl -u ovs-vswitchd --since -1h",
    ),
    repair=(
        "`hostagent fix OVS_PORT_UNATTACHED` deletes the port, waits until vswitchd has applied that and "
        "adds it again with the same ofport and every column. If it comes back, something else takes the "
        "tap off the bridge: look for scripts that call ip link set PORT nomaster."
    ),
    evaluate=judge_drift("OVS_PORT_UNATTACHED", "unattached port", "unattached ports"),
    examples=(
        Example(
            title="the tap has no master",
            state=State.CRIT,
            objects=("br-int/vnet0",),
            host="""
bridges = { br-int = "system" }

[[domain]]
name = "alice"
[[domain.interface]]
tap = "vnet0"

[[link]]
name = "ovs-system"
ifindex = 2
kind = "openvswitch"

[[link]]
name = "vnet0"
ifindex = 5

[[port]]
name = "vnet0"
vm = "alice"
""",
        ),
        Example(
            title="vswitchd's datapath has no such port",
            state=State.CRIT,
            objects=("br-int/vnet0",),
            host="""
datapath = { br-int = {} }
bridges = { br-int = "system" }

[[domain]]
name = "alice"
[[domain.interface]]
tap = "vnet0"

[[link]]
name = "ovs-system"
ifindex = 2
kind = "openvswitch"

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
            title="attached",
            state=State.OK,
            host="""
bridges = { br-int = "system" }

[[domain]]
name = "alice"
[[domain.interface]]
tap = "vnet0"

[[link]]
name = "ovs-system"
ifindex = 2
kind = "openvswitch"

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
            title="vswitchd hangs",
            state=State.UNKNOWN,
            host="""
unavailable = { vswitchd = "unresponsive: ovs-vswitchd did not answer within 3 s" }
""",
        ),
    ),
)
