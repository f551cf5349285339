"""A running guest names a bridge that does not exist."""

from hostagent.health.api import Check, Example, State, judge_drift

CHECK = Check(
    code="OVS_BRIDGE_MISSING",
    group="ovs",
    title="Bridges that running guests name and nobody has",
    severity=State.CRIT,
    grace=True,
    meaning=(
        "A running domain's XML names a bridge that OVSDB does not have and that is no Linux bridge "
        "either. The bridge was deleted, or OVSDB was recreated empty: an empty database must not be "
        "taken for the truth."
    ),
    impact="All guests on that bridge are off the network, and nothing can be added to it.",
    evidence=(
        "ovs-vsctl list-br",
        "virsh domiflist DOMAIN",
        "ls -l /etc/openvswitch/conf.db # recent and small: the database was recreated",
        "journalctl -u ovsdb-server -b",
    ),
    repair=(
        "Reported only. Put the bridge back from the network configuration (ifup, netplan, os-net-config, "
        "or the controller that made it), or restore conf.db from a backup; then `hostagent fix "
        "OVS_PORT_MISSING` adds the guests' ports again."
    ),
    evaluate=judge_drift(
        "OVS_BRIDGE_MISSING", "guest interface without its bridge", "guest interfaces without their bridge"
    ),
    examples=(
        Example(
            title="the database is empty",
            state=State.CRIT,
            objects=("br-int/vnet0",),
            host="""
[bridges]

[[domain]]
name = "alice"
[[domain.interface]]
tap = "vnet0"

[[link]]
name = "vnet0"
ifindex = 5
""",
        ),
        Example(
            title="a Linux bridge is a bridge",
            state=State.OK,
            host="""
[[domain]]
name = "alice"
[[domain.interface]]
tap = "tap1"
bridge = "qbr1"
ovs = false

[[link]]
name = "qbr1"
ifindex = 4
kind = "bridge"
""",
        ),
    ),
)
