"""Pages keep coming in from swap."""

from hostagent.decide.memory.counters import SWAPPING_BYTES, swap_in
from hostagent.decide.memory.view import MemoryView
from hostagent.decide.memory.words import size
from hostagent.health.api import Check, Example, ObjectResult, State, Verdict, judge_memory


def _judge(seen: MemoryView) -> Verdict:
    memory = seen.memory
    if not memory.swaps:
        return Verdict(state=State.OK, summary="this host has no swap")
    coming = swap_in(memory)
    used = sum(area.used for area in memory.swaps)
    if coming is None and memory.counters.swapped_in == 0:
        return Verdict(state=State.OK, summary="nothing ever came in from swap")
    if coming is None:
        return Verdict(state=State.UNKNOWN, summary="one look can't tell whether pages come in from swap")
    words = f"{size(round(coming.rate))}/s come in from swap, {size(used)} of it used"
    if coming.rate <= SWAPPING_BYTES:
        return Verdict(state=State.OK, summary=words)
    swapped = sorted((-(share.swapped or 0), share.name) for share in seen.budget.guests or ())
    objects = tuple(
        ObjectResult(id=name, detail=f"{size(-amount)} of it swapped out")
        for amount, name in swapped
        if amount
    )
    return Verdict(state=State.WARN, summary=words, objects=objects)


CHECK = Check(
    code="MEMORY_SWAPPING",
    group="memory",
    title="Pages keep coming in from swap",
    severity=State.WARN,
    meaning=(
        "More than 1 MiB/s comes in from swap. Pages that went out once and stay there are what swap is for; "
        "pages that come back are memory that guests use and do not have."
    ),
    impact="A guest whose page is on a disk stalls for it: milliseconds instead of microseconds, each time.",
    evidence=(
        "vmstat 1 5 # si is KiB/s that come in",
        "grep -E 'pswpin|pswpout' /proc/vmstat",
        "grep VmSwap /proc/*/status | sort -k2 -n | tail",
        "hostagent memory",
    ),
    repair=(
        "Move away a guest that is listed, or one beside it. `swapoff -a` needs all of what is swapped out "
        "to fit into MemAvailable. Setting vm.swappiness lower only chooses the page cache as the victim."
    ),
    evaluate=judge_memory(_judge, guests=False),
    examples=(
        Example(
            title="10 MiB/s for a minute",
            state=State.WARN,
            objects=("a",),
            host="""
[memory]
swaps = [{ path = "/dev/sda2", size = 8, used = 4 }]
counters = { at = 60.0, swapped_in = 153600 }
past = [{ at = 0.0, swapped_in = 0 }]
[[guest_memory]]
name = "a"
maximum = 4
process = { anonymous = 2, swapped = 1 }
""",
        ),
        Example(
            title="much is swapped out and stays there",
            state=State.OK,
            host="""
[memory]
swaps = [{ path = "/dev/sda2", size = 8, used = 4 }]
counters = { at = 60.0, swapped_in = 153600 }
past = [{ at = 0.0, swapped_in = 153500 }]
""",
        ),
        Example(
            title="a single look",
            state=State.UNKNOWN,
            host="""
[memory]
swaps = [{ path = "/dev/sda2", size = 8, used = 4 }]
counters = { swapped_in = 153600 }
""",
        ),
        Example(title="no swap", state=State.OK, host=""),
    ),
)
