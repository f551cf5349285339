"""Taps that no guest claims and no process holds."""

from hostagent.health.api import Check, Example, State, judge_drift

CHECK = Check(
    code="OVS_TAP_ORPHAN",
    group="ovs",
    title="Taps that nobody uses",
    severity=State.WARN,
    grace=True,
    meaning=(
        "A tap of libvirt's kind (vnetN, or the name of one of its rows) exists, but no running domain "
        "claims it and no process holds it open. It was made persistent by hand, or its process died "
        "without the kernel removing it."
    ),
    impact="It uses up a name; a guest that is given the name may fail to start or take it over as it is.",
    evidence=(
        "ip -d link show TAP # tun type tap … persist on",
        "grep -l TAP /proc/[0-9]*/fdinfo/* 2>/dev/null # iff: TAP, of the process that holds it",
        "virsh domiflist DOMAIN",
    ),
    repair=(
        "Find out who made it. `hostagent fix OVS_TAP_ORPHAN` offers to delete it and asks first; this "
        "can't be undone. By hand: ip tuntap del dev TAP mode tap."
    ),
    evaluate=judge_drift("OVS_TAP_ORPHAN", "orphaned tap", "orphaned taps"),
    examples=(
        Example(
            title="nobody holds vnet7",
            state=State.WARN,
            objects=("vnet7",),
            host="""
tap_holders = {}

[[link]]
name = "vnet7"
ifindex = 12
""",
        ),
        Example(
            title="another hypervisor holds it",
            state=State.OK,
            host="""
tap_holders = { vnet7 = [4711] }

[[link]]
name = "vnet7"
ifindex = 12
""",
        ),
        Example(
            title="a tap with another name is not ours",
            state=State.OK,
            host="""
tap_holders = {}

[[link]]
name = "vpn0"
ifindex = 12
tap = true
""",
        ),
        Example(
            title="who holds it could not be read",
            state=State.UNKNOWN,
            host="""
unavailable = { tap_holders = "denied: only root may see which process holds a tap" }

[[link]]
name = "vnet7"
ifindex = 12
""",
        ),
    ),
)
