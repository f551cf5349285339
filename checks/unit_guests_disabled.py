"""A host whose guests nobody shuts down."""

from hostagent.decide.unit_order import wanted
from hostagent.health.api import Check, Context, Example, State, Verdict, unread
from hostagent.model.host import Unavailable
from hostagent.model.units import GUESTS_UNIT, LIBVIRT_UNITS

_ORDERLY = frozenset({"shutdown", "suspend"})  # suspend saves them to disk


def evaluate(context: Context) -> Verdict:
    """Only where libvirt's own daemon runs: a container's libvirt has its own ways."""
    units = context.snapshot.units
    if isinstance(units, Unavailable):
        return unread(units)
    if not wanted(units, LIBVIRT_UNITS):
        return Verdict(state=State.SKIP, summary="no libvirt daemon of the host's own")
    unit = units.get(GUESTS_UNIT)
    if unit is None:
        return Verdict(state=State.WARN, summary=f"{GUESTS_UNIT} is not installed")
    if not unit.up:
        words = unit.file_state or "never started"
        return Verdict(state=State.WARN, summary=f"{GUESTS_UNIT} is not active ({words})")
    if units.guests_on_shutdown not in _ORDERLY:
        words = f"{GUESTS_UNIT} leaves guests alone (ON_SHUTDOWN={units.guests_on_shutdown})"
        return Verdict(state=State.WARN, summary=words)
    return Verdict(
        state=State.OK, summary=f"{GUESTS_UNIT} is active (ON_SHUTDOWN={units.guests_on_shutdown})"
    )


CHECK = Check(
    code="UNIT_GUESTS_DISABLED",
    group="unit",
    title="No unit shuts the guests down before the host goes",
    severity=State.WARN,
    meaning=(
        "libvirt-guests.service is not installed or not active, or its ON_SHUTDOWN is neither "
        "shutdown nor suspend. It is the only unit that gives guests the time to stop before the "
        "host does."
    ),
    impact=(
        "A shutdown or reboot of the host is a power cut for its guests: their file systems must "
        "recover, and their ports are left behind."
    ),
    evidence=(
        "systemctl status libvirt-guests",
        "grep ON_SHUTDOWN /etc/default/libvirt-guests /etc/sysconfig/libvirt-guests",
    ),
    repair=(
        "Reported only. `systemctl enable --now libvirt-guests`, with ON_SHUTDOWN=shutdown and a "
        "SHUTDOWN_TIMEOUT in /etc/default/libvirt-guests (RHEL: /etc/sysconfig). Where something "
        "else empties the host before each reboot, mute this code."
    ),
    evaluate=evaluate,
    examples=(
        Example(
            title="disabled",
            state=State.WARN,
            host="""
[units.change."libvirt-guests.service"]
active = "inactive"
file_state = "disabled"
""",
        ),
        Example(
            title="not installed",
            state=State.WARN,
            host="""
[units.change."libvirt-guests.service"]
load = "not-found"
""",
        ),
        Example(
            title="leaves guests alone",
            state=State.WARN,
            host="""
[units]
guests_on_shutdown = "ignore"
""",
        ),
        Example(
            title="suspends them",
            state=State.OK,
            host="""
[units]
guests_on_shutdown = "suspend"
""",
        ),
        Example(
            title="no libvirt",
            state=State.SKIP,
            host="""
[units.change."libvirtd.service"]
load = "not-found"
""",
        ),
    ),
)
