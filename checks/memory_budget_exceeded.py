"""More memory promised to guests than the host can hold."""

from hostagent.decide.memory.view import MemoryView
from hostagent.decide.memory.words import ratio, size
from hostagent.health.api import Check, Example, ObjectResult, State, Verdict, judge_memory


def _judge(seen: MemoryView) -> Verdict:
    budget = seen.budget
    if budget.needed is None or not budget.guests:
        return Verdict(state=State.OK, summary="no guest runs")
    words = f"{size(budget.needed)} needed of {size(budget.capacity)}"
    over = [ObjectResult(id="host", detail=words)] if budget.needed > budget.capacity else []
    over += [
        ObjectResult(id=f"node{node.number}", detail=f"{size(node.needed)} needed of {size(node.capacity)}")
        for node in budget.nodes
        if node.headroom < 0
    ]
    summary = f"{words} for guests that were promised {ratio(budget.ratio)} (limit 1:{budget.limit:g})"
    return Verdict(state=State.WARN if over else State.OK, summary=summary, objects=tuple(over))


CHECK = Check(
    code="MEMORY_BUDGET_EXCEEDED",
    group="memory",
    title="Guests were promised more memory than the budget holds",
    severity=State.WARN,
    meaning=(
        "The guests' maxima with QEMU's overhead are more than this host, or one of its NUMA nodes, holds at "
        "memory.ratio. Only memory that KSM, a balloon or swap can win back counts by that ratio; guests "
        "with VFIO, locked, shared or nosharepages memory count in full, and huge pages are set aside."
    ),
    impact=(
        "Nothing yet: it happens when guests use what they were promised, on patch day or after a power cut "
        "when all boot at once. Then the host swaps, or the OOM killer takes a guest."
    ),
    evidence=(
        "hostagent memory",
        "hostagent memory --json",
        "virsh domstats --balloon --vcpu",
        "numastat -c qemu",
    ),
    repair=(
        "Move guests away (`virsh migrate --live`, nova's live migration) until `hostagent memory` shows "
        "headroom, and let no more come: lower ram_allocation_ratio or set memory.policy to enforce. For a "
        "node that is over, widen the guest's numatune or move it to another node. A ratio above 1:1.2 "
        "needs KSM to merge more than was ever published for mixed guests."
    ),
    evaluate=judge_memory(_judge),
    examples=(
        Example(
            title="guests of 80 GiB on 62",
            state=State.WARN,
            objects=("host",),
            host="""
[[guest_memory]]
name = "a"
maximum = 40
[[guest_memory]]
name = "b"
maximum = 40
""",
        ),
        Example(
            title="one node is over, the host is not",
            state=State.WARN,
            objects=("node1",),
            host="""
[memory]
nodes = [{ number = 0, total = 32 }, { number = 1, total = 32 }]
[[guest_memory]]
name = "a"
maximum = 40
bound = { 1 = 40 }
""",
        ),
        Example(
            title="70 GiB on 62 are within 1:1.2",
            state=State.OK,
            host="""
[[guest_memory]]
name = "a"
maximum = 35
[[guest_memory]]
name = "b"
maximum = 35
""",
        ),
        Example(title="no guest runs", state=State.OK, host=""),
        Example(
            title="libvirt hangs",
            state=State.UNKNOWN,
            host="""
unavailable = { guests_memory = "unresponsive: libvirt did not answer within 5 s" }
""",
        ),
        Example(
            title="there is no libvirt",
            state=State.SKIP,
            host="""
unavailable = { guests_memory = "absent: libvirt is not installed" }
""",
        ),
    ),
)
