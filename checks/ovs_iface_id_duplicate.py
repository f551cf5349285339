"""Two rows with one iface-id: a controller may wire either."""

from hostagent.health.api import Check, Example, State, judge_drift

CHECK = Check(
    code="OVS_IFACE_ID_DUPLICATE",
    group="ovs",
    title="Ports that carry the same iface-id",
    severity=State.WARN,
    grace=True,
    meaning=(
        "Two or more ports have the same external_ids:iface-id. One of them is usually a stale row of the "
        "same guest under an earlier tap name. A migration within one host duplicates it legitimately for "
        "a moment, so that two looks must agree."
    ),
    impact=(
        "OVN or neutron may wire the row without a tap, and the guest has no network after the "
        "controller's next pass."
    ),
    evidence=(
        "ovs-vsctl --columns=name,ofport,external_ids find Interface external_ids:iface-id=IFACE-ID",
        "ip link show PORT",
    ),
    repair=(
        "`hostagent fix OVS_IFACE_ID_DUPLICATE` deletes libvirt's row that has no tap when another one is "
        "alive. Where both are alive two guests were defined with one interfaceid: give one of them its "
        "own in its XML."
    ),
    evaluate=judge_drift("OVS_IFACE_ID_DUPLICATE", "port shares its iface-id", "ports share their iface-id"),
    examples=(
        Example(
            title="a stale row has the running guest's id",
            state=State.WARN,
            objects=("br-int/vnet0", "br-int/vnet3"),
            host="""
[[domain]]
name = "alice"
[[domain.interface]]
tap = "vnet0"

[[link]]
name = "vnet0"
ifindex = 5

[[port]]
name = "vnet0"
vm = "alice"
iface_id = "i1"

[[port]]
name = "vnet3"
vm = "alice"
iface_id = "i1"
ofport = -1
""",
        ),
        Example(
            title="each has its own",
            state=State.OK,
            host="""
[[port]]
name = "vnet0"
vm = "alice"
iface_id = "i1"

[[port]]
name = "vnet1"
vm = "bob"
iface_id = "i2"
""",
        ),
    ),
)
