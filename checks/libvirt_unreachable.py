"""Nobody answers libvirt's socket."""

from hostagent.health.api import Check, Example, State, judge_daemon
from hostagent.model.guests import Domains
from hostagent.model.host import Trouble


def _words(domains: Domains) -> str:
    return f"libvirt answers (domains: {len(domains.by_uuid)}, running: {len(domains.live())})"


CHECK = Check(
    code="LIBVIRT_UNREACHABLE",
    group="libvirt",
    title="libvirt can't be reached",
    severity=State.CRIT,
    meaning="Nobody accepts connections on libvirt's socket, although libvirt is installed.",
    impact=(
        "No guest can be started, stopped, migrated or seen. Running guests go on. Whatever needs the "
        "list of running domains is unknown, and nothing is repaired."
    ),
    evidence=(
        "systemctl status libvirtd.service libvirtd.socket # or virtqemud.*",
        "journalctl -u libvirtd -b",
        "virsh -c qemu:///system version",
        "ls -l /run/libvirt/",
    ),
    repair=(
        "systemctl start libvirtd.socket libvirtd-ro.socket (modular daemons: virtqemud.socket, "
        "virtqemud-ro.socket). hostagent reads through the -ro socket: it may be the only one stopped. An "
        "inactive libvirtd.service with listening sockets is healthy: it starts on demand. On "
        "container-based OpenStack libvirt runs in a container: docker ps, podman ps. hostagent never "
        "restarts it."
    ),
    evaluate=judge_daemon("domains", frozenset({Trouble.UNREACHABLE}), "libvirt", _words),
    examples=(
        Example(
            title="libvirt is unreachable",
            state=State.CRIT,
            host="""
unavailable = { domains = "unreachable: connection refused at /run/libvirt/libvirt-sock" }
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
unavailable = { domains = "unresponsive: connection refused at /run/libvirt/libvirt-sock" }
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
