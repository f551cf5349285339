"""Guests whose boot took longer than any should."""

from hostagent.config import Pacing
from hostagent.decide.boot.judging import timed_out
from hostagent.decide.memory.words import span
from hostagent.health.api import Check, Example, ObjectResult, State, Verdict, judge_boots
from hostagent.model.boot_told import BootsTold, GuestTold


def _judge(boots: BootsTold, pacing: Pacing) -> Verdict:
    found = timed_out(boots)
    limit = span(pacing.timeout_seconds)
    if not found:
        return Verdict(state=State.OK, summary=f"every boot of the last hour settled within {limit}")
    words = (
        f"{len(found)} {'boot' if len(found) == 1 else 'boots'} of the last hour did not end well in {limit}"
    )
    objects = tuple(ObjectResult(id=each.name, detail=_detail(each, boots.at)) for each in found)
    return Verdict(state=State.WARN, summary=words, objects=objects)


def _detail(guest: GuestTold, at: float) -> str:
    done = "" if guest.requests is None else f", {guest.requests} I/Os"
    managed = f", {guest.managed} runs it" if guest.managed else ""
    up = "; its guest agent is connected now" if guest.agent else ""
    return f"{guest.reason or 'not settled'}, {span(at - guest.since)} ago{done}{managed}{up}"


CHECK = Check(
    code="BOOT_GUEST_TIMED_OUT",
    group="boot",
    title="Guests did not come up in time",
    severity=State.WARN,
    meaning=(
        "A guest was started or restarted, and within boot.timeout_seconds neither was its guest agent "
        "connected nor did it grow quiet, in I/O and in vCPU time, while its storage was fast enough to "
        "tell. It runs on, and its place in the queue went to the next one. Or libvirt refused its start "
        "again and again until the agent gave it up. Each is told for an hour."
    ),
    impact=(
        "It may hang in its firmware or boot loader, in a check of its file system, or in a loop of "
        "restarts. What starts after it waits boot.dependency_seconds longer. If it is only busy from its "
        "first minute on, nothing is wrong with it."
    ),
    evidence=(
        "hostagent boot status",
        "virsh domstate --reason NAME",
        "virsh screenshot NAME",
        "virsh domstats --block --vcpu NAME",
    ),
    repair=(
        "Reported only. Look at its console (virsh console, screenshot); where libvirt refused, do what it "
        "says and start it by hand. Many at once: the storage is too "
        "slow for what it has to do, see DISK_LATENCY_HIGH. A guest that is busy by nature: give it a guest "
        "agent, which says when it is up, or `hostagent boot set NAME --exempt`. Where boots take longer "
        "than that, raise boot.timeout_seconds."
    ),
    evaluate=judge_boots(_judge),
    examples=(
        Example(
            title="ten minutes ago",
            state=State.WARN,
            objects=("alice",),
            host="""
[[boots.guest]]
name = "alice"
state = "timed out"
ago = 600
requests = 1200
reason = "not settled after 600 s (boot.timeout_seconds is 600)"
""",
        ),
        Example(
            title="one of nova's",
            state=State.WARN,
            objects=("instance-1",),
            host="""
[[boots.guest]]
name = "instance-1"
state = "timed out"
managed = "nova"
""",
        ),
        Example(
            title="two hours ago",
            state=State.OK,
            host="""
[[boots.guest]]
name = "alice"
state = "timed out"
ago = 7200
""",
        ),
        Example(
            title="boots, and waits for its turn",
            state=State.OK,
            host="""
[[boots.guest]]
name = "alice"
state = "booting"
ago = 590
[[boots.guest]]
name = "bob"
ago = 4000
""",
        ),
        Example(
            title="libvirt can't be reached",
            state=State.UNKNOWN,
            host="""
[boots]
[unavailable]
domains = "unreachable: libvirt does not answer"
""",
        ),
        Example(title="a look without an agent", state=State.SKIP, host=""),
    ),
)
