"""vswitchd is not running, or hangs."""

from hostagent.health.api import Check, Example, State, judge_daemon
from hostagent.model.host import Trouble
from hostagent.model.ports import Vswitchd


def _words(vswitchd: Vswitchd) -> str:
    return f"ovs-vswitchd {vswitchd.version} answers (process {vswitchd.pid})"


CHECK = Check(
    code="OVS_VSWITCHD_DOWN",
    group="ovs",
    title="ovs-vswitchd does not run or does not answer",
    severity=State.CRIT,
    meaning="ovs-vswitchd does not run or did not answer on its control socket within the time-out.",
    impact=(
        "On the userspace datapath nothing is forwarded. On the kernel datapath known flows go on and new "
        "ones fail within seconds. A guest that starts gets a row but no port, after a wait of 5 s."
    ),
    evidence=(
        "systemctl status ovs-vswitchd",
        "ovs-appctl -T 5 version",
        "ps -o pid,stat,wchan:32,args -C ovs-vswitchd # T: stopped, D: waits for the kernel or a disk",
        "journalctl -u ovs-vswitchd -b",
    ),
    repair=(
        "Not running: systemctl start ovs-vswitchd. State T: kill -CONT PID. Otherwise gather a stack "
        "(gdb -p PID -batch -ex 'thread apply all bt'), then systemctl restart ovs-vswitchd. hostagent "
        "never restarts it, and repairs nothing while it is down."
    ),
    evaluate=judge_daemon(
        "vswitchd", frozenset({Trouble.UNREACHABLE, Trouble.UNRESPONSIVE}), "ovs-vswitchd", _words
    ),
    examples=(
        Example(
            title="ovs-vswitchd is unreachable",
            state=State.CRIT,
            host="""
unavailable = { vswitchd = "unreachable: ovs-vswitchd did not answer on its control socket" }
""",
        ),
        Example(
            title="ovs-vswitchd is unresponsive",
            state=State.CRIT,
            host="""
unavailable = { vswitchd = "unresponsive: ovs-vswitchd did not answer on its control socket" }
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
            title="this user may not ask",
            state=State.UNKNOWN,
            host="""
unavailable = { vswitchd = "denied: permission denied (run it as root)" }
""",
        ),
        Example(
            title="it is not installed",
            state=State.SKIP,
            host="""
unavailable = { vswitchd = "absent: ovs-vswitchd is not installed" }
""",
        ),
    ),
)
