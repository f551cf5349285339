"""A running guest that neutron isolated and never came back to."""

from hostagent.health.api import Check, Example, State, judge_drift

CHECK = Check(
    code="NEUTRON_PORT_DEAD_VLAN",
    group="neutron",
    title="Running guests in neutron's dead VLAN",
    severity=State.WARN,
    grace=True,
    meaning=(
        "A running guest's port has tag 4095. neutron's Open vSwitch agent sets it on ports that it has "
        "not wired yet, and removes it when it has; that is by design at first, so that two looks must "
        "agree."
    ),
    impact="The guest is isolated: no frame leaves or reaches it.",
    evidence=(
        "ovs-vsctl --columns=name,tag,other_config list Port PORT",
        "openstack port show IFACE-ID # status, binding_vif_type, binding_host_id",
        "journalctl -u neutron-openvswitch-agent --since -1h",
    ),
    repair=(
        "Reported only: the tag is neutron's. A port whose binding failed "
        "(binding_vif_type=binding_failed) must be bound again: openstack port unset --host, or detach "
        "and attach it. An agent that hangs is restarted: systemctl restart neutron-openvswitch-agent."
    ),
    evaluate=judge_drift(
        "NEUTRON_PORT_DEAD_VLAN", "port in neutron's dead VLAN", "ports in neutron's dead VLAN"
    ),
    examples=(
        Example(
            title="still isolated",
            state=State.WARN,
            objects=("br-int/tapa",),
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
tag = 4095
""",
        ),
        Example(
            title="the instance is off",
            state=State.OK,
            host="""
[[domain]]
name = "a"
live = false

[[port]]
name = "tapa"
os_vif = "a"
tag = 4095
ofport = -1
""",
        ),
    ),
)
