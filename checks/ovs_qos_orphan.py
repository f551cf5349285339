"""QoS and Queue rows of libvirt's that nothing references: they pile up with every power cut."""

from hostagent.health.api import Check, Example, State, judge_drift

CHECK = Check(
    code="OVS_QOS_ORPHAN",
    group="ovs",
    title="libvirt's QoS and Queue rows that nothing references",
    severity=State.WARN,
    grace=True,
    meaning=(
        "libvirt made a QoS or Queue row for a guest with bandwidth limits (external_ids vm-id and "
        "ifname), and no Port or QoS references it any more. Both are root tables: deleting a port leaves "
        "them, and so does every power cut."
    ),
    impact=(
        "They cost memory and make the database harder to read; no guest is affected. Over years of power "
        "cuts they become thousands."
    ),
    evidence=(
        "ovs-vsctl --columns=_uuid,queues,external_ids list QoS",
        "ovs-vsctl --columns=_uuid,external_ids list Queue",
        "ovs-vsctl --columns=name,qos list Port",
    ),
    repair=(
        "`hostagent fix OVS_QOS_ORPHAN` deletes rows that carry both of libvirt's ids and are referenced "
        "by nothing; hand-made and shared QoS is never touched. By hand: ovs-vsctl -- destroy QoS UUID -- "
        "destroy Queue UUID."
    ),
    evaluate=judge_drift("OVS_QOS_ORPHAN", "orphaned QoS or queue row", "orphaned QoS or queue rows"),
    examples=(
        Example(
            title="left by a power cut",
            state=State.WARN,
            objects=("q1", "u2"),
            host="""
[[qos]]
uuid = "q1"
external_ids = { vm-id = "11111111-1111-4111-8111-111111111111", ifname = "vnet0" }

[[queue]]
uuid = "u2"
external_ids = { vm-id = "11111111-1111-4111-8111-111111111111", ifname = "vnet1" }
""",
        ),
        Example(
            title="made by hand: unreferenced, but not libvirt's",
            state=State.OK,
            host="""
[[qos]]
uuid = "mine"

[[queue]]
uuid = "mine-too"
""",
        ),
        Example(
            title="in use",
            state=State.OK,
            host="""
[[port]]
name = "vnet0"
vm = "alice"
qos = "q1"

[[qos]]
uuid = "q1"
queues = ["u1"]
external_ids = { vm-id = "11111111-1111-4111-8111-111111111111", ifname = "vnet0" }

[[queue]]
uuid = "u1"
external_ids = { vm-id = "11111111-1111-4111-8111-111111111111", ifname = "vnet0" }
""",
        ),
    ),
)
