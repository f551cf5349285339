"""Rows without a tap that belong to a guest which is off or on its way: right as they are, and listed."""

from hostagent.health.api import Check, Example, State, judge_drift

CHECK = Check(
    code="OVS_PORT_DORMANT",
    group="ovs",
    title="Port rows that wait for their guest",
    severity=State.OK,
    meaning=(
        "A row has no tap now, but its guest will come back for it: a shut-off domain names the tap in "
        "its definition, or nova (os-vif) plugged the row, which it keeps while an instance is off and "
        "makes before a migration brings the domain here. This is a healthy state."
    ),
    impact=(
        "None. Deleting such a row breaks the guest's next start or an incoming migration: nova then "
        "waits 300 s for a port that nobody wires and puts the instance into ERROR."
    ),
    evidence=(
        "ovs-vsctl --columns=name,external_ids list Interface PORT # vm-uuid: plugged by nova",
        "virsh dumpxml --inactive DOMAIN",
        "virsh dominfo VM-UUID # Domain not found: gone, or on its way here",
    ),
    repair=(
        "Nothing to do. Only where you know that a nova instance is gone for good: `hostagent fix "
        "OVS_PORT_DORMANT` offers the rows whose domain libvirt does not know, and asks before it deletes "
        "them."
    ),
    evaluate=judge_drift("OVS_PORT_DORMANT", "dormant port", "dormant ports"),
    examples=(
        Example(
            title="a shut-off domain names the tap in its definition",
            state=State.OK,
            objects=("br-int/tap1234",),
            host="""
[[domain]]
name = "nova-1"
live = false
persistent_interfaces = [{ tap = "tap1234", bridge = "br-int" }]

[[port]]
name = "tap1234"
vm = "nova-1"
ofport = -1
""",
        ),
        Example(
            title="nova plugged it before the migration brings the domain",
            state=State.OK,
            objects=("br-int/tap5678",),
            host="""
[[port]]
name = "tap5678"
os_vif = "on-its-way"
ofport = -1
""",
        ),
        Example(
            title="a generated name waits for nobody: that is OVS_PORT_STALE",
            state=State.OK,
            host="""
[[domain]]
name = "alice"
live = false

[[port]]
name = "vnet0"
vm = "alice"
ofport = -1
""",
        ),
        Example(
            title="the links could not be read",
            state=State.UNKNOWN,
            host="""
unavailable = { links = "invalid: rtnetlink answered nonsense" }
""",
        ),
    ),
)
