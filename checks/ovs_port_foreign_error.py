"""Uplinks, bonds, patches and other people's ports in error: reported, never touched."""

from hostagent.health.api import Check, Example, State, judge_drift

CHECK = Check(
    code="OVS_PORT_FOREIGN_ERROR",
    group="ovs",
    title="Errored ports that hostagent never touches",
    severity=State.WARN,
    grace=True,
    meaning=(
        "vswitchd reports an error for a port that libvirt did not make for a guest: an uplink, bond, "
        "patch or tunnel port, or one that neutron, OVN or an administrator added."
    ),
    impact=(
        "An uplink in error takes the whole node off the network. A patch port in error cuts two bridges "
        "apart."
    ),
    evidence=(
        "ovs-vsctl --columns=name,type,ofport,error,options list Interface PORT",
        "ip link show PORT",
        "ovs-vsctl show",
    ),
    repair=(
        "Never repaired by hostagent. No such device: the driver or the network configuration did not "
        "bring the device up (dmesg, systemctl status networking). No usable peer: the other patch port "
        "is missing. A port that is no longer needed: ovs-vsctl del-port BRIDGE PORT, after checking that "
        "it is no uplink."
    ),
    evaluate=judge_drift(
        "OVS_PORT_FOREIGN_ERROR", "errored port that is not ours", "errored ports that are not ours"
    ),
    examples=(
        Example(
            title="an uplink without its device and a patch without its peer",
            state=State.WARN,
            objects=("br-int/eth9", "br-int/patch-a"),
            host="""
[[port]]
name = "eth9"
ofport = -1
error = "could not open network device eth9 (No such device)"

[[port]]
name = "patch-a"
type = "patch"
ofport = 3
error = "No usable peer 'patch-b' exists in 'system' datapath."
""",
        ),
        Example(
            title="a healthy uplink, and a stale row that is ours",
            state=State.OK,
            host="""
[[port]]
name = "eth0"
ofport = 1

[[port]]
name = "vnet0"
vm = "gone"
ofport = -1
error = "could not open network device vnet0 (No such device)"
""",
        ),
        Example(
            title="opted out",
            state=State.OK,
            host="""
[[port]]
name = "eth9"
ofport = -1
error = "could not open network device eth9 (No such device)"
port_ids = { hostagent = "ignore" }
""",
        ),
    ),
)
