"""KSM costs more than it saves."""

from hostagent.decide.memory.view import MemoryView
from hostagent.decide.memory.words import size
from hostagent.health.api import Check, Example, State, Verdict, judge_memory

_SETTLED_SCANS = 3  # a page must be found unchanged twice before it is merged
_LEAST_BYTES = 16 << 20  # less than this is lost on every host that has once looked at a few pages


def _judge(seen: MemoryView) -> Verdict:
    ksm, raw = seen.budget.ksm, seen.memory.ksm
    if ksm is None or raw is None:
        return Verdict(state=State.SKIP, summary="this kernel has no KSM")
    if ksm.run != 1 and not ksm.metadata:
        return Verdict(state=State.OK, summary="KSM is off")
    if ksm.profit is None:
        return Verdict(state=State.UNKNOWN, summary="this kernel does not say what KSM saves")
    words = f"saves {size(ksm.saved)}, its metadata take {size(ksm.metadata)}"
    if raw.full_scans < _SETTLED_SCANS:
        return Verdict(state=State.OK, summary=f"{words}, after {raw.full_scans} passes of at least 3")
    return Verdict(state=State.WARN if ksm.profit < -_LEAST_BYTES else State.OK, summary=words)


CHECK = Check(
    code="KSM_UNPROFITABLE",
    group="ksm",
    title="KSM takes more memory than it saves",
    severity=State.WARN,
    meaning=(
        "After several passes over all guests, the records that KSM keeps for each page it looked at (64 "
        "bytes) take at least 16 MiB more than merging has saved: its profit is negative."
    ),
    impact="Memory and a part of a CPU are spent for nothing.",
    evidence=(
        "cat /sys/kernel/mm/ksm/general_profit # since Linux 6.4; bytes",
        "grep . /sys/kernel/mm/ksm/pages_*",
        "hostagent memory",
    ),
    repair=(
        "The guests have little in common, encrypt or compress their memory, or use transparent huge pages "
        "that KSM must split first. Turn it off for those that gain nothing (nosharepages in the XML), or "
        "for all: `echo 0 > /sys/kernel/mm/ksm/run` keeps what is merged. Never write 2 under load."
    ),
    evaluate=judge_memory(_judge, guests=False),
    examples=(
        Example(
            title="a million pages looked at, a thousand merged",
            state=State.WARN,
            host="""
[memory]
ksm = { run = 1, full_scans = 9, shared = 500, sharing = 1000, unshared = 1000000 }
""",
        ),
        Example(
            title="KSM is off, and a few records are left of guests that are gone",
            state=State.OK,
            host="""
[memory]
ksm = { run = 0, full_scans = 90, shared = 0, sharing = 0, unshared = 500, general_profit = -32000 }
""",
        ),
        Example(
            title="the kernel's own figure counts",
            state=State.WARN,
            host="""
[memory]
ksm = { run = 1, full_scans = 9, shared = 500, sharing = 100000, unshared = 1000, general_profit = -33554432 }
""",
        ),
        Example(
            title="a few pages that nobody has in common",
            state=State.OK,
            host="""
[memory]
ksm = { run = 1, full_scans = 9, unshared = 500 }
""",
        ),
        Example(
            title="the same before it has settled",
            state=State.OK,
            host="""
[memory]
ksm = { run = 1, full_scans = 1, shared = 500, sharing = 1000, unshared = 1000000 }
""",
        ),
        Example(
            title="it saves",
            state=State.OK,
            host="""
[memory]
ksm = { run = 1, full_scans = 9, shared = 500, sharing = 100000, unshared = 1000000 }
""",
        ),
        Example(title="no KSM", state=State.SKIP, host="memory = { ksm = { absent = true } }"),
    ),
)
