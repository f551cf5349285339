"""What KSM has merged would not fit if it were written."""

from hostagent.decide.memory.view import MemoryView
from hostagent.decide.memory.words import size
from hostagent.health.api import Check, Example, State, Verdict, judge_memory


def _judge(seen: MemoryView) -> Verdict:
    budget = seen.budget
    if budget.unmerge is None or budget.unmerge_with_swap is None:
        return Verdict(state=State.UNKNOWN, summary="this kernel does not say how much KSM has merged")
    if not budget.saved:
        return Verdict(state=State.OK, summary="KSM has merged nothing")
    words = f"{size(budget.saved)} are merged, {size(budget.available)} available"
    if budget.unmerge >= 0:
        return Verdict(state=State.OK, summary=words)
    swap = budget.unmerge_with_swap
    rest = "swap would take the rest" if swap >= 0 else f"{size(-swap)} are missing even with swap"
    return Verdict(state=State.WARN, summary=f"{words}: {rest}")


CHECK = Check(
    code="MEMORY_UNMERGE_HEADROOM",
    group="memory",
    title="Merged memory would not fit if guests wrote it",
    severity=State.WARN,
    meaning=(
        "KSM has merged more than MemAvailable is. A merged page becomes private again with the first write, "
        "in no order that the host can choose; MemAvailable less what is merged is what would be left "
        "(the unmerge headroom), and it is below zero."
    ),
    impact=(
        "When guests update their systems or all reboot, the merged pages come back within minutes: the "
        "host swaps or the OOM killer takes a guest, although nothing was started."
    ),
    evidence=(
        "hostagent memory",
        "grep . /sys/kernel/mm/ksm/pages_* /sys/kernel/mm/ksm/ksm_zero_pages",
        "grep cow_ksm /proc/vmstat # merged pages that a write made private again",
        "grep MemAvailable /proc/meminfo",
    ),
    repair=(
        "Move guests away before the next patch day, or add swap on a disk (zram is no room). Start nothing "
        "here meanwhile. Don't unmerge (run=2) to see what happens: it takes the memory at once. Zero pages "
        "of freshly booted guests are merged first and vanish by themselves."
    ),
    evaluate=judge_memory(_judge, guests=False),
    examples=(
        Example(
            title="10 GiB merged, 8 available",
            state=State.WARN,
            host="""
[memory]
available = 8
ksm = { run = 1, shared = 100000, sharing = 2621440 }
""",
        ),
        Example(
            title="8 GiB merged, 8 available",
            state=State.OK,
            host="""
[memory]
available = 8
ksm = { run = 1, shared = 100000, sharing = 2097152 }
""",
        ),
        Example(
            title="an older kernel that merges zero pages and does not count them",
            state=State.UNKNOWN,
            host="""
[memory]
ksm = { run = 1, shared = 100000, sharing = 2097152, use_zero_pages = true }
""",
        ),
        Example(title="no KSM", state=State.OK, host="memory = { ksm = { absent = true } }"),
    ),
)
