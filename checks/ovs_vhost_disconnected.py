"""A running guest's vhost-user port without a peer."""

from hostagent.health.api import Check, Example, State, judge_drift

CHECK = Check(
    code="OVS_VHOST_DISCONNECTED",
    group="ovs",
    title="Running guests' vhost-user ports that are disconnected",
    severity=State.WARN,
    grace=True,
    meaning=(
        "A vhost-user port of a running guest reports status disconnected: QEMU and vswitchd are not "
        "connected over its socket. Such ports have no tap, so that no other check sees them."
    ),
    impact="The guest has no network on that interface.",
    evidence=(
        "ovs-vsctl get Interface PORT status options",
        "ss -xp | grep vhost",
        "journalctl -u ovs-vswitchd --since -1h | grep -i vhost",
    ),
    repair=(
        "Reported only. With dpdkvhostuserclient QEMU is the server and vswitchd reconnects by itself: "
        "look whether QEMU's socket exists (options:vhost-server-path) and whether vswitchd may open it. "
        "With dpdkvhostuser QEMU must reconnect: restart the guest."
    ),
    evaluate=judge_drift(
        "OVS_VHOST_DISCONNECTED", "disconnected vhost-user port", "disconnected vhost-user ports"
    ),
    examples=(
        Example(
            title="a running guest's",
            state=State.WARN,
            objects=("br-int/vhu1",),
            host="""
[[domain]]
name = "a"
[[domain.interface]]
kind = "vhostuser"
tap = "vhu1"

[[port]]
name = "vhu1"
type = "dpdkvhostuserclient"
os_vif = "a"
ofport = 4
status = { status = "disconnected" }
""",
        ),
        Example(
            title="a shut-off guest's is no fault",
            state=State.OK,
            host="""
[[port]]
name = "vhu2"
type = "dpdkvhostuserclient"
os_vif = "off"
ofport = 5
status = { status = "disconnected" }
""",
        ),
    ),
)
