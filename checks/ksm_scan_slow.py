"""KSM's passes take longer than anything stays equal."""

from hostagent.decide.memory.view import MemoryView
from hostagent.decide.memory.words import size, span
from hostagent.health.api import Check, Example, State, Verdict, judge_memory


def _judge(seen: MemoryView) -> Verdict:
    ksm = seen.budget.ksm
    if ksm is None:
        return Verdict(state=State.SKIP, summary="this kernel has no KSM")
    if ksm.scan_seconds is None:
        return Verdict(state=State.OK, summary="KSM is off")
    words = f"a pass over {size(ksm.mergeable)} takes {span(ksm.scan_seconds)}"
    slow = ksm.scan_seconds > seen.limits.scan_seconds
    limit = f" (limit {span(seen.limits.scan_seconds)})"
    return Verdict(state=State.WARN if slow else State.OK, summary=words + (limit if slow else ""))


CHECK = Check(
    code="KSM_SCAN_SLOW",
    group="ksm",
    title="KSM's passes take too long",
    severity=State.WARN,
    meaning=(
        "At its pace (pages_to_scan in each sleep_millisecs) KSM needs longer than memory.scan_seconds for "
        "one pass over all that guests hold. The kernel's default of 100 pages in 20 ms is 19.5 MiB/s: "
        "7.5 hours for 512 GiB. A page is merged after it was found unchanged in two passes."
    ),
    impact="What guests have in common is merged hours late or never.",
    evidence=(
        "grep . /sys/kernel/mm/ksm/{pages_to_scan,sleep_millisecs,full_scans}",
        "cat /sys/kernel/mm/ksm/advisor_mode # since Linux 6.8",
        "hostagent memory",
    ),
    repair=(
        "Since Linux 6.8: `echo scan-time > /sys/kernel/mm/ksm/advisor_mode`, with advisor_target_scan_time "
        "and advisor_max_cpu. Before: a larger pages_to_scan, for example 5000, and look at ksmd's CPU time "
        "in top. ksmtuned changes these files as well: only one may."
    ),
    evaluate=judge_memory(_judge, guests=False),
    examples=(
        Example(
            title="80 GiB at the default pace take more than an hour",
            state=State.WARN,
            host="""
[memory]
total = 128
ksm = { run = 1 }
[[guest_memory]]
name = "a"
maximum = 100
process = { anonymous = 80 }
""",
        ),
        Example(
            title="at a faster pace",
            state=State.OK,
            host="""
[memory]
total = 128
ksm = { run = 1, pages_to_scan = 5000 }
[[guest_memory]]
name = "a"
maximum = 100
process = { anonymous = 80 }
""",
        ),
        Example(title="off", state=State.OK, host=""),
        Example(title="no KSM", state=State.SKIP, host="memory = { ksm = { absent = true } }"),
    ),
)
