"""OpenFlow rules for ports that do not exist; read on request only."""

from hostagent.health.api import Check, Example, State, judge_drift

CHECK = Check(
    code="OVS_FLOW_ORPHAN",
    group="ovs",
    title="OpenFlow rules whose in_port no port has",
    severity=State.WARN,
    grace=True,
    meaning=(
        "Rules of a bridge match on in_port=N, and no port of the bridge has that OpenFlow number. The "
        "flow tables are only read with --full, or when this code is named, because dumping them is "
        "expensive."
    ),
    impact=(
        "The rules do nothing now, but the next port that is given the number is treated as the old one: "
        "anti-spoofing or VLAN rules of another guest."
    ),
    evidence=(
        "ovs-ofctl dump-flows BRIDGE in_port=N",
        "ovs-ofctl show BRIDGE # the numbers that exist",
    ),
    repair=(
        "Reported only: the controller owns the flows. Let it resynchronise (OVN: ovn-appctl -t "
        "ovn-controller recompute; neutron: restart the Open vSwitch agent). Rules that were made by "
        "hand: ovs-ofctl del-flows BRIDGE in_port=N."
    ),
    evaluate=judge_drift(
        "OVS_FLOW_ORPHAN", "port number that only flows know", "port numbers that only flows know"
    ),
    examples=(
        Example(
            title="rules for port 7, which does not exist",
            state=State.WARN,
            objects=("br-int/7",),
            host="""
flows = { br-int = { 7 = 2, 5 = 1, 65534 = 1 } }

[[port]]
name = "eth0"
ofport = 5
""",
        ),
        Example(
            title="every number exists",
            state=State.OK,
            host="""
flows = { br-int = { 5 = 1, 65534 = 1 } }

[[port]]
name = "eth0"
ofport = 5
""",
        ),
        Example(
            title="not asked for",
            state=State.SKIP,
            host="""
bridges = { br-int = "netdev" }
""",
        ),
    ),
)
