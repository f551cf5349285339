"""More virtual CPUs than the host's threads carry well."""

from hostagent.decide.memory.view import MemoryView
from hostagent.decide.memory.words import ratio
from hostagent.health.api import Check, Example, State, Verdict, judge_memory


def _judge(seen: MemoryView) -> Verdict:
    budget = seen.budget
    if budget.cpu_ratio is None:
        return Verdict(state=State.UNKNOWN, summary="the number of CPUs that are online could not be read")
    words = f"{budget.vcpus} virtual CPUs on {budget.threads} threads, {ratio(budget.cpu_ratio)}"
    over = budget.cpu_ratio > budget.cpu_limit
    limit = f" (limit 1:{budget.cpu_limit:g})" if over else ""
    return Verdict(state=State.WARN if over else State.OK, summary=words + limit)


CHECK = Check(
    code="CPU_BUDGET_EXCEEDED",
    group="cpu",
    title="More virtual CPUs than the host's threads carry well",
    severity=State.WARN,
    meaning=(
        "The running guests have more virtual CPUs for each thread of the host than memory.cpu_ratio. "
        "Unlike memory this takes no host down: everything gets slower, first for guests with many CPUs."
    ),
    impact="Guests wait for a CPU (steal time); desktops stutter from about 1:2, servers at idle bear more.",
    evidence=(
        "hostagent memory",
        "cat /proc/pressure/cpu",
        "virsh domstats --vcpu | grep -E 'Domain|wait|delay'",
    ),
    repair=(
        "Look at steal time and at /proc/pressure/cpu first: at night a ratio harms nobody. Then move guests "
        "away, or set memory.cpu_ratio (nova's cpu_allocation_ratio) to what your guests bear."
    ),
    evaluate=judge_memory(_judge),
    examples=(
        Example(
            title="40 on 16",
            state=State.WARN,
            host="""
[[guest_memory]]
name = "a"
maximum = 4
vcpus = 40
""",
        ),
        Example(
            title="32 on 16",
            state=State.OK,
            host="""
[[guest_memory]]
name = "a"
maximum = 4
vcpus = 32
""",
        ),
        Example(
            title="no libvirt",
            state=State.SKIP,
            host='unavailable = { guests_memory = "absent: libvirt is not installed" }',
        ),
    ),
)
