"""Overcommitted, and nothing merges."""

from hostagent.decide.memory.view import MemoryView
from hostagent.decide.memory.words import ratio
from hostagent.health.api import Check, Example, State, Verdict, judge_memory


def _judge(seen: MemoryView) -> Verdict:
    budget, ksm = seen.budget, seen.budget.ksm
    if ksm is not None and ksm.run == 1:
        return Verdict(state=State.OK, summary="KSM runs")
    over = budget.ratio is not None and budget.ratio > 1 and bool(budget.elastic)
    if not over:
        return Verdict(state=State.OK, summary=f"KSM is off, and not needed at {ratio(budget.ratio)}")
    if ksm is None:
        return Verdict(state=State.WARN, summary=f"this kernel has no KSM, at {ratio(budget.ratio)}")
    how = "is unmerging (run=2)" if ksm.run == 2 else "is off"
    return Verdict(state=State.WARN, summary=f"KSM {how}, at {ratio(budget.ratio)}")


CHECK = Check(
    code="KSM_OFF",
    group="ksm",
    title="Memory is overcommitted and KSM does not run",
    severity=State.WARN,
    meaning=(
        "The guests were promised more than this host has, and the kernel does not look for equal pages "
        "among them (/sys/kernel/mm/ksm/run is not 1). Below 1:1 it is no fault that KSM is off."
    ),
    impact="The overcommitment rests on untouched memory, balloons and swap alone, and ends sooner.",
    evidence=(
        "cat /sys/kernel/mm/ksm/run",
        "systemctl status ksm ksmtuned ksmd 2>/dev/null",
        "hostagent memory",
    ),
    repair=(
        "`echo 1 > /sys/kernel/mm/ksm/run`, for good by ksmtuned or a tmpfiles.d line. It costs CPU: with "
        "the default of 100 pages in 20 ms little. Leave it off where guests must not learn of each other's "
        "pages by timing, and stay below 1:1 there."
    ),
    evaluate=judge_memory(_judge),
    examples=(
        Example(
            title="70 GiB promised on 62",
            state=State.WARN,
            host="""
[[guest_memory]]
name = "a"
maximum = 70
""",
        ),
        Example(
            title="the same with KSM",
            state=State.OK,
            host="""
[memory]
ksm = { run = 1 }
[[guest_memory]]
name = "a"
maximum = 70
""",
        ),
        Example(
            title="not overcommitted",
            state=State.OK,
            host="""
[[guest_memory]]
name = "a"
maximum = 60
""",
        ),
        Example(
            title="nobody knows the guests",
            state=State.UNKNOWN,
            host='unavailable = { guests_memory = "unreachable: libvirt does not listen" }',
        ),
    ),
)
