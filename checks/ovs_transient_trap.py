"""A restart of Open vSwitch that would unplug every running guest."""

from hostagent.health.api import Check, Example, State, judge_drift

CHECK = Check(
    code="OVS_TRANSIENT_TRAP",
    group="ovs",
    title="Ports that the next restart of Open vSwitch deletes",
    severity=State.WARN,
    meaning=(
        "OVS_CTL_OPTS has --delete-transient-ports, and ports carry other_config:transient=true, which "
        "newer libvirt sets on every guest's port. The option is meant for the boot, but ovs-ctl obeys it "
        "at every start of ovsdb-server."
    ),
    impact=(
        "Any restart of ovsdb-server, for instance by a package update, takes all running guests off the "
        "network."
    ),
    evidence=(
        "grep OVS_CTL_OPTS /etc/default/openvswitch-switch /etc/sysconfig/openvswitch",
        "ovs-vsctl --columns=name find Port other_config:transient=true",
    ),
    repair=(
        "Reported only. Remove --delete-transient-ports from OVS_CTL_OPTS; `hostagent fix` cleans up "
        "after a power cut with the running domains in view. No restart is needed for that."
    ),
    evaluate=judge_drift(
        "OVS_TRANSIENT_TRAP",
        "port that an OVS restart would unplug",
        "ports that an OVS restart would unplug",
    ),
    examples=(
        Example(
            title="option and ports",
            state=State.WARN,
            objects=("br-int/vnet0",),
            host="""
ovs_ctl_options = "--delete-transient-ports"

[[port]]
name = "vnet0"
vm = "alice"
ofport = 5
other_config = { transient = "true" }
""",
        ),
        Example(
            title="transient ports without the option",
            state=State.OK,
            host="""
[[port]]
name = "vnet0"
vm = "alice"
ofport = 5
other_config = { transient = "true" }
""",
        ),
        Example(
            title="the option without transient ports",
            state=State.OK,
            host="""
ovs_ctl_options = "--delete-transient-ports"

[[port]]
name = "eth0"
ofport = 5
""",
        ),
    ),
)
