"""A running guest's tap that is administratively down although its XML wants it up."""

from hostagent.health.api import Check, Example, State, judge_drift

CHECK = Check(
    code="OVS_TAP_DOWN",
    group="ovs",
    title="Running guests' taps that are down",
    severity=State.WARN,
    grace=True,
    meaning=(
        "A running guest's tap is administratively down, and its XML does not say <link state='down'/>, "
        "which would be a choice."
    ),
    impact="The guest sees its cable unplugged or sends into nothing.",
    evidence=(
        "ip link show PORT # state DOWN, no UP among the flags",
        "virsh domif-getlink DOMAIN PORT",
    ),
    repair=(
        "`hostagent fix OVS_TAP_DOWN` sets the link up. If it should be down, say so where libvirt keeps "
        "it: virsh domif-setlink DOMAIN PORT down --config --live."
    ),
    evaluate=judge_drift("OVS_TAP_DOWN", "tap is down", "taps are down"),
    examples=(
        Example(
            title="down against the XML",
            state=State.WARN,
            objects=("br-int/vnet0",),
            host="""
[[domain]]
name = "alice"
[[domain.interface]]
tap = "vnet0"

[[link]]
name = "vnet0"
ifindex = 5
up = false

[[port]]
name = "vnet0"
vm = "alice"
""",
        ),
        Example(
            title="down by choice",
            state=State.OK,
            host="""
[[domain]]
name = "alice"
[[domain.interface]]
tap = "vnet0"
link_up = false

[[link]]
name = "vnet0"
ifindex = 5
up = false

[[port]]
name = "vnet0"
vm = "alice"
""",
        ),
    ),
)
