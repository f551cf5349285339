"""The boot's purge did not come to its end."""

from hostagent.health.api import Check, Context, Example, State, Verdict, unread
from hostagent.model.host import Unavailable
from hostagent.model.units import PURGE_UNIT, PurgeState


def evaluate(context: Context) -> Verdict:
    """By the record that the purge leaves, and by systemd for one that could not even leave that."""
    units = context.snapshot.units
    if isinstance(units, Unavailable):
        return unread(units)
    unit, mark = units.get(PURGE_UNIT), units.purge
    if unit is not None and unit.active == "activating":
        return Verdict(state=State.OK, summary="the purge is running")
    if mark is not None and mark.state in {PurgeState.FAILED, PurgeState.RUNNING}:
        return Verdict(state=State.WARN, summary=f"the purge of this boot failed: {mark.reason}")
    if unit is not None and (unit.active == "failed" or unit.result not in {"success", "exec-condition"}):
        return Verdict(state=State.WARN, summary=f"{PURGE_UNIT} failed: {unit.result}")
    if mark is not None:
        return Verdict(state=State.OK, summary=f"the purge of this boot: {mark.state}, {mark.reason}")
    return Verdict(state=State.SKIP, summary="no purge has run in this boot")


CHECK = Check(
    code="UNIT_PURGE_FAILED",
    group="unit",
    title="The purge of this boot failed or did not end",
    severity=State.WARN,
    meaning=(
        "hostagent-purge.service deletes what a power cut left in Open vSwitch's database, after "
        "ovsdb-server and before vswitchd and libvirt. In this boot it failed, or was ended after "
        "its 5 s."
    ),
    impact=(
        "Stale ports of guests from before the boot may be there still. A guest that is given "
        "such a name takes over another guest's VLAN and rate limit, or fails to start."
    ),
    evidence=(
        "journalctl -b -u hostagent-purge -u ovsdb-server",
        "cat /run/hostagent/purge.json",
    ),
    repair=(
        "Reported only. Find out what held ovsdb-server up, then run `hostagent fix`, which "
        "repairs the same with guests running. This stays until the next boot, or until `rm "
        "/run/hostagent/purge.json; systemctl reset-failed hostagent-purge`."
    ),
    evaluate=evaluate,
    examples=(
        Example(
            title="timed out",
            state=State.WARN,
            host="""
[units]
purge = { state = "failed", reason = "timed out after 4.5 s" }
""",
        ),
        Example(
            title="killed",
            state=State.WARN,
            host="""
[units]
purge = { state = "running", reason = "it has not ended" }
""",
        ),
        Example(
            title="could not start",
            state=State.WARN,
            host="""
[units.change."hostagent-purge.service"]
active = "failed"
result = "exit-code"
""",
        ),
        Example(
            title="still running",
            state=State.OK,
            host="""
[units]
purge = { state = "running" }
[units.change."hostagent-purge.service"]
active = "activating"
""",
        ),
        Example(
            title="done",
            state=State.OK,
            host="""
[units]
purge = { state = "done", reason = "3 of 3 stale records deleted" }
""",
        ),
        Example(
            title="not in this boot",
            state=State.SKIP,
            host="""
[units.change."hostagent-purge.service"]
active = "inactive"
ran = false
""",
        ),
    ),
)
