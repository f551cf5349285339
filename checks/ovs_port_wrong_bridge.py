"""A port on another bridge than the guest's XML says."""

from hostagent.health.api import Check, Example, State, judge_drift

CHECK = Check(
    code="OVS_PORT_WRONG_BRIDGE",
    group="ovs",
    title="Ports on another bridge than the XML says",
    severity=State.CRIT,
    grace=True,
    meaning=(
        "A running guest's port is on another bridge than its live XML says, or a stale row holds a tap's "
        "name on one bridge and a guest for another bridge that was given this name failed to start."
    ),
    impact=(
        "The guest is in another network than it should be. A guest that is given the name of a stale row "
        "does not start: `Unable to add port vnet4 to OVS bridge br-ext`."
    ),
    evidence=(
        "ovs-vsctl port-to-br PORT",
        "virsh domiflist DOMAIN # Source: the bridge it should be on",
        "virsh domstate --reason DOMAIN # shut off (failed)",
    ),
    repair=(
        "`hostagent fix OVS_PORT_WRONG_BRIDGE` deletes the stale row, then start the guest again; a "
        "running guest's port is moved in two transactions. If somebody moved the port on purpose, change "
        "the domain's XML instead, or opt the port out with external_ids:hostagent=ignore."
    ),
    evaluate=judge_drift("OVS_PORT_WRONG_BRIDGE", "port on the wrong bridge", "ports on the wrong bridge"),
    examples=(
        Example(
            title="a running guest's port is elsewhere",
            state=State.CRIT,
            objects=("br-int/vnet0",),
            host="""
bridges = { br-int = "netdev", br-ext = "netdev" }

[[domain]]
name = "alice"
[[domain.interface]]
tap = "vnet0"
bridge = "br-ext"

[[link]]
name = "vnet0"
ifindex = 5

[[port]]
name = "vnet0"
vm = "alice"
""",
        ),
        Example(
            title="a stale row kept a guest from starting",
            state=State.CRIT,
            objects=("br-int/vnet4",),
            host="""
bridges = { br-int = "netdev", br-ext = "netdev" }

[[domain]]
name = "erin"
live = false
reason = "failed"
[[domain.interface]]
bridge = "br-ext"

[[port]]
name = "vnet4"
vm = "dave"
ofport = -1
""",
        ),
        Example(
            title="on its bridge",
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
            title="os-vif's bridge is unknown to libvirt",
            state=State.OK,
            host="""
[[domain]]
name = "nova-1"
[[domain.interface]]
kind = "ethernet"
tap = "tap1234"

[[link]]
name = "tap1234"
ifindex = 5
tap = true

[[port]]
name = "tap1234"
os_vif = "nova-1"
""",
        ),
    ),
)
