"""Rows of guests that are gone: left by a power cut, they are handed to the next guest of that name."""

from hostagent.health.api import Check, Example, State, judge_drift

CHECK = Check(
    code="OVS_PORT_STALE",
    group="ovs",
    title="Port rows whose guest and tap are gone",
    severity=State.CRIT,
    grace=True,
    meaning=(
        "A row that libvirt made for a guest is still in OVSDB, but its tap does not exist and no running "
        "domain claims it (for a tap with a given name: no defined domain names it either). A power cut "
        "leaves one for every guest that ran, and so does a guest that is stopped while Open vSwitch is "
        "down."
    ),
    impact=(
        "libvirt starts again at vnet0 after a reboot, so the next guest that is given this name takes "
        "over the row with its VLAN, QoS and rate limit: it runs in another tenant's network. A guest for "
        "another bridge that is given the name can't start at all."
    ),
    evidence=(
        "ovs-vsctl --columns=name,ofport,error,external_ids list Interface PORT",
        "ip link show PORT # Device does not exist",
        "virsh domiflist DOMAIN # for each running domain: none has this tap",
    ),
    repair=(
        "`hostagent fix OVS_PORT_STALE` deletes the row with the QoS and queues that libvirt made for it; "
        "no running guest uses it. By hand: ovs-vsctl --if-exists del-port BRIDGE PORT. Never delete "
        "every errored port: an uplink whose device is late looks the same."
    ),
    evaluate=judge_drift("OVS_PORT_STALE", "stale port", "stale ports"),
    examples=(
        Example(
            title="after a power cut, the guest is off",
            state=State.CRIT,
            objects=("br-int/vnet0",),
            host="""
[[domain]]
name = "alice"
live = false

[[port]]
name = "vnet0"
vm = "alice"
tag = 100
ofport = -1
error = "could not open network device vnet0 (No such device)"
""",
        ),
        Example(
            title="the tap was lost at run time: the userspace datapath shows no error",
            state=State.CRIT,
            objects=("br-int/vnet3",),
            host="""
[[port]]
name = "vnet3"
vm = "gone"
ofport = 4
ifindex = 0
""",
        ),
        Example(
            title="a running guest's own row",
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
            title="libvirt hangs: nobody knows whose row it is",
            state=State.UNKNOWN,
            host="""
unavailable = { domains = "unresponsive: libvirt did not answer within 5 s" }

[[port]]
name = "vnet0"
vm = "alice"
ofport = -1
""",
        ),
        Example(
            title="an uplink whose device is missing is not ours",
            state=State.OK,
            host="""
[[port]]
name = "eth1"
ofport = -1
error = "could not open network device eth1 (No such device)"
""",
        ),
    ),
)
