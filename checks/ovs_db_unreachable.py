"""Nobody answers OVSDB's socket."""

from hostagent.health.api import Check, Example, State, judge_daemon
from hostagent.model.host import Trouble
from hostagent.model.ports import Ovs


def _words(ovs: Ovs) -> str:
    return f"OVSDB answers (bridges: {len(ovs.bridges)}, ports: {len(ovs.ports)})"


CHECK = Check(
    code="OVS_DB_UNREACHABLE",
    group="ovs",
    title="OVSDB can't be reached",
    severity=State.CRIT,
    meaning="Nobody accepts connections on ovsdb-server's socket, although Open vSwitch is installed.",
    impact=(
        "Traffic goes on as it is, but no port can be added, changed or removed: guests do not start, and "
        "guests that stop leave stale rows. What needs OVSDB is unknown, and nothing is repaired."
    ),
    evidence=(
        "systemctl status ovsdb-server",
        "journalctl -u ovsdb-server -b",
        "ovs-vsctl --timeout=5 show",
        (
            "ovsdb-tool check-cluster /etc/openvswitch/conf.db; ovsdb-tool show-log /etc/openvswitch/conf.db "
            "| tail"
        ),
    ),
    repair=(
        "systemctl start ovsdb-server ovs-vswitchd; openvswitch-switch.service ties them together. "
        "Starting it is harmless for traffic; a restart of vswitchd interrupts it for a moment. On "
        "another path set sources.ovsdb_socket."
    ),
    evaluate=judge_daemon("ovs", frozenset({Trouble.UNREACHABLE}), "ovsdb-server", _words),
    examples=(
        Example(
            title="ovsdb-server is unreachable",
            state=State.CRIT,
            host="""
unavailable = { ovs = "unreachable: OVSDB unreachable at /run/openvswitch/db.sock: connection refused" }
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
            title="unresponsive is another check's",
            state=State.OK,
            host="""
unavailable = { ovs = "unresponsive: OVSDB unreachable at /run/openvswitch/db.sock: connection refused" }
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
