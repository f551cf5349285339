"""A guest that ran before the boot and is off since."""

from hostagent.health.api import Check, Context, Example, ObjectResult, State, Verdict, unread
from hostagent.model.host import Unavailable
from hostagent.model.units import PurgeState

# A guest that somebody stopped in this boot has another reason; a restart of libvirtd forgets it.
_NEVER_RAN = frozenset({"", "unknown", "failed"})


def evaluate(context: Context) -> Verdict:
    """By what the purge found of guests before libvirt came: OVSDB's rows, and libvirt-guests' list."""
    units, domains = context.snapshot.units, context.snapshot.domains
    if isinstance(units, Unavailable):
        return unread(units)
    if units.purge is None or units.purge.state is PurgeState.SKIPPED:
        return Verdict(state=State.SKIP, summary="nobody recorded what ran before this boot")
    if isinstance(domains, Unavailable):
        return unread(domains)
    known = [domains.by_uuid[uuid] for uuid in sorted(units.purge.ran) if uuid in domains.by_uuid]
    off = [each for each in known if not each.live and each.reason in _NEVER_RAN]
    objects = tuple(
        ObjectResult(id=each.name, detail=f"{each.state} since the boot; it ran before ({each.uuid})")
        for each in sorted(off, key=lambda each: each.name)
    )
    words = "guest" if len(off) == 1 else "guests"
    summary = f"{len(off) or 'no'} {words} of {len(known)} known to have run before the boot are off"
    return Verdict(state=State.WARN if off else State.OK, summary=summary, objects=objects)


CHECK = Check(
    code="DOMAIN_NOT_RESTARTED",
    group="domain",
    title="Guests that ran before the boot are off",
    severity=State.WARN,
    meaning=(
        "A guest ran when the power went or when the host was shut down, and has not been started "
        "since. Known from the records that the boot's purge found in Open vSwitch, and from "
        "libvirt-guests' list of the guests that it stopped."
    ),
    impact=("Its users are without it, and nobody may have noticed."),
    evidence=(
        "virsh list --all --autostart",
        "virsh domstate --reason NAME",
        "cat /run/hostagent/purge.json",
    ),
    repair=(
        "Reported only. `virsh start NAME`; `virsh autostart NAME` starts it at every boot. A "
        "guest that is meant to stay off: mute this code with its name. After a restart of "
        "libvirtd a guest that was stopped in this boot is listed too."
    ),
    evaluate=evaluate,
    examples=(
        Example(
            title="off since the cut",
            state=State.WARN,
            objects=("alice",),
            host="""
[[domain]]
name = "alice"
live = false
[units]
purge = { state = "done", ran = ["alice"] }
""",
        ),
        Example(
            title="its start failed",
            state=State.WARN,
            objects=("alice",),
            host="""
[[domain]]
name = "alice"
live = false
reason = "failed"
[units]
purge = { state = "done", ran = ["alice"] }
""",
        ),
        Example(
            title="stopped by somebody since",
            state=State.OK,
            host="""
[[domain]]
name = "alice"
live = false
reason = "shutdown"
[units]
purge = { state = "done", ran = ["alice"] }
""",
        ),
        Example(
            title="undefined meanwhile",
            state=State.OK,
            host="""
[units]
purge = { state = "done", ran = ["alice"] }
""",
        ),
        Example(
            title="running again",
            state=State.OK,
            host="""
[[domain]]
name = "alice"
[units]
purge = { state = "nothing", ran = ["alice"] }
""",
        ),
        Example(
            title="no record",
            state=State.SKIP,
            host="""
[[domain]]
name = "alice"
live = false
""",
        ),
    ),
)
