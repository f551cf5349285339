"""A running guest's interface that is on no bridge."""

from hostagent.health.api import Check, Example, State, judge_drift

CHECK = Check(
    code="OVS_PORT_MISSING",
    group="ovs",
    title="Running guests' interfaces without a port",
    severity=State.CRIT,
    grace=True,
    meaning=(
        "A running domain's XML puts an interface on an Open vSwitch bridge, but OVSDB has no port of the "
        "tap's name. The row was deleted under the guest, or OVSDB lost it: an unsynced power cut loses "
        "the last seconds of its file. A controller may be about to add it, so that two looks must agree."
    ),
    impact="The guest runs without a network, and a restart of Open vSwitch does not bring it back.",
    evidence=(
        "virsh domiflist DOMAIN",
        "ovs-vsctl port-to-br PORT # no port named PORT",
        "virsh dumpxml DOMAIN # bridge, vlan and bandwidth that it should have",
    ),
    repair=(
        "`hostagent fix OVS_PORT_MISSING` adds the port with bridge, VLAN, ids and bandwidth in one "
        "transaction, for a port that is untagged even for a moment is a leak. A tap with a given name "
        "and no <vlan> in the XML often gets its VLAN from outside: that is only done when you name the "
        "code and agree. Where the tap is gone as well, restart the guest."
    ),
    evaluate=judge_drift("OVS_PORT_MISSING", "missing port", "missing ports"),
    examples=(
        Example(
            title="the row is gone under a running guest",
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
""",
        ),
        Example(
            title="the row is there",
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
            title="a guest that is off needs none",
            state=State.OK,
            host="""
[[domain]]
name = "alice"
live = false
[[domain.interface]]
vlan = 100
""",
        ),
        Example(
            title="OVSDB could not be read: an empty answer would call every port missing",
            state=State.UNKNOWN,
            host="""
unavailable = { ovs = "unreachable: OVSDB unreachable at /run/openvswitch/db.sock: connection refused" }

[[domain]]
name = "alice"
[[domain.interface]]
tap = "vnet0"
""",
        ),
    ),
)
