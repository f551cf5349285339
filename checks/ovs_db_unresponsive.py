"""ovsdb-server takes connections and does not answer."""

from hostagent.health.api import Check, Example, State, judge_daemon
from hostagent.model.host import Trouble
from hostagent.model.ports import Ovs


def _words(ovs: Ovs) -> str:
    return f"OVSDB answers (bridges: {len(ovs.bridges)}, ports: {len(ovs.ports)})"


CHECK = Check(
    code="OVS_DB_UNRESPONSIVE",
    group="ovs",
    title="OVSDB does not answer",
    severity=State.CRIT,
    meaning=(
        "ovsdb-server accepts connections but did not answer within the time-out: it is stopped "
        "(SIGSTOP), starved, or waits for a disk."
    ),
    impact=(
        "No port can be changed. A guest that stops now leaves a stale row, and one with a fixed tap name "
        "that starts again loses its network silently: OVS_PORT_DEAD_RX. What needs OVSDB is unknown, and "
        "nothing is repaired."
    ),
    evidence=(
        "ovs-vsctl --timeout=5 show",
        "ps -o pid,stat,wchan:32,args -C ovsdb-server # T: stopped, D: waits for a disk",
        "ovs-appctl -t ovsdb-server memory/show",
        "journalctl -u ovsdb-server --since -1h",
    ),
    repair=(
        "State T: somebody stopped it, kill -CONT PID. State D: look at the disk below /etc/openvswitch. "
        "Otherwise systemctl restart ovsdb-server; on Debian this restarts ovs-vswitchd too. Afterwards "
        "run hostagent check again: guests that restarted meanwhile may be deaf."
    ),
    evaluate=judge_daemon("ovs", frozenset({Trouble.UNRESPONSIVE}), "ovsdb-server", _words),
    examples=(
        Example(
            title="ovsdb-server is unresponsive",
            state=State.CRIT,
            host="""
unavailable = { ovs = "unresponsive: OVSDB did not answer within 5 s" }
""",
        ),
        Example(
            title="it answers",
            state=State.OK,
            host="""
bridges = { br-int = "netdev" }
""",
        ),
        Example(
            title="unreachable is another check's",
            state=State.UNKNOWN,
            host="""
unavailable = { ovs = "unreachable: OVSDB did not answer within 5 s" }
""",
        ),
        Example(
            title="this user may not ask",
            state=State.UNKNOWN,
            host="""
unavailable = { ovs = "denied: permission denied (run it as root)" }
""",
        ),
        Example(
            title="it is not installed",
            state=State.SKIP,
            host="""
unavailable = { ovs = "absent: ovsdb-server is not installed" }
""",
        ),
    ),
)
