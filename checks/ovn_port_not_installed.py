"""A running guest on an OVN node whose port OVN has not wired."""

from hostagent.health.api import Check, Example, State, judge_drift

CHECK = Check(
    code="OVN_PORT_NOT_INSTALLED",
    group="ovn",
    title="Running guests' ports that OVN has not wired",
    severity=State.WARN,
    grace=True,
    meaning=(
        "This node is run by OVN (ovn-remote is set), and a running guest's port with an iface-id has no "
        "ovn-installed: ovn-controller has not claimed it or has not installed its flows."
    ),
    impact="The guest has no network, or only part of it.",
    evidence=(
        "ovs-vsctl get Interface PORT external_ids",
        "ovn-sbctl --columns=logical_port,chassis,up find Port_Binding logical_port=IFACE-ID",
        "ovn-appctl -t ovn-controller connection-status",
        "systemctl status ovn-controller",
    ),
    repair=(
        "Reported only: the flag is OVN's and is never forged. Look at ovn-controller: is it connected, "
        "is the logical port bound to this chassis, does it exist in the northbound database? ovn-appctl "
        "-t ovn-controller recompute makes it work everything out again."
    ),
    evaluate=judge_drift(
        "OVN_PORT_NOT_INSTALLED", "port that OVN has not wired", "ports that OVN has not wired"
    ),
    examples=(
        Example(
            title="not installed",
            state=State.WARN,
            objects=("br-int/tapa",),
            host="""
[ovs]
external_ids = { ovn-remote = "ssl:192.0.2.1:6642" }

[[domain]]
name = "a"
[[domain.interface]]
kind = "ethernet"
tap = "tapa"

[[link]]
name = "tapa"
ifindex = 5
tap = true

[[port]]
name = "tapa"
os_vif = "a"
iface_id = "ia"
""",
        ),
        Example(
            title="installed",
            state=State.OK,
            host="""
[ovs]
external_ids = { ovn-remote = "ssl:192.0.2.1:6642" }

[[domain]]
name = "a"
[[domain.interface]]
kind = "ethernet"
tap = "tapa"

[[link]]
name = "tapa"
ifindex = 5
tap = true

[[port]]
name = "tapa"
os_vif = "a"
iface_id = "ia"
ids = { ovn-installed = "true" }
""",
        ),
        Example(
            title="no OVN here",
            state=State.OK,
            host="""
[[domain]]
name = "a"
[[domain.interface]]
kind = "ethernet"
tap = "tapa"

[[link]]
name = "tapa"
ifindex = 5
tap = true

[[port]]
name = "tapa"
os_vif = "a"
iface_id = "ia"
""",
        ),
    ),
)
