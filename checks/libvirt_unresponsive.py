"""libvirt takes connections and does not answer."""

from hostagent.health.api import Check, Example, State, judge_daemon
from hostagent.model.guests import Domains
from hostagent.model.host import Trouble


def _words(domains: Domains) -> str:
    return f"libvirt answers (domains: {len(domains.by_uuid)}, running: {len(domains.live())})"


CHECK = Check(
    code="LIBVIRT_UNRESPONSIVE",
    group="libvirt",
    title="libvirt does not answer",
    severity=State.CRIT,
    meaning=(
        "libvirt accepts connections but did not answer within the time-out: it hangs, waits for a stuck "
        "hook, disk or guest, or all its workers are busy."
    ),
    impact=(
        "No guest can be managed; nova and the monitoring hang with it. Running guests go on. Whatever "
        "needs the list of running domains is unknown, and nothing is repaired."
    ),
    evidence=(
        "timeout 5 virsh list",
        "virt-admin srv-threadpool-info libvirtd # freeWorkers 0: all are stuck",
        "ps -eo pid,stat,wchan:32,args | grep -E 'libvirt|virtqemud|hooks/qemu' # D: waits for a disk",
        "journalctl -u libvirtd --since -1h",
    ),
    repair=(
        "Look for what it waits for: a hook under /etc/libvirt/hooks that calls libvirt (a deadlock), an "
        "NFS or Ceph path that hangs, one QEMU whose monitor does not answer. A restart (systemctl "
        "restart libvirtd) leaves guests running, but gather a stack first: gdb -p PID -batch -ex 'thread "
        "apply all bt'. hostagent never restarts it."
    ),
    evaluate=judge_daemon("domains", frozenset({Trouble.UNRESPONSIVE}), "libvirt", _words),
    examples=(
        Example(
            title="libvirt is unresponsive",
            state=State.CRIT,
            host="""
unavailable = { domains = "unresponsive: libvirt did not answer within 5 s" }
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
unavailable = { domains = "unreachable: libvirt did not answer within 5 s" }
""",
        ),
        Example(
            title="this user may not ask",
            state=State.UNKNOWN,
            host="""
unavailable = { domains = "denied: permission denied (run it as root)" }
""",
        ),
        Example(
            title="it is not installed",
            state=State.SKIP,
            host="""
unavailable = { domains = "absent: libvirt is not installed" }
""",
        ),
    ),
)
