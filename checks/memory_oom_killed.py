"""The OOM killer was here."""

from functools import partial

from hostagent.decide.memory.counters import oom_kills
from hostagent.decide.memory.view import MemoryView
from hostagent.health.api import Check, Context, Example, ObjectResult, State, Verdict, judge_memory
from hostagent.model.guests import Domains
from hostagent.model.host import Unavailable

_NEWS_SECONDS = 900.0


def _evaluate(context: Context) -> Verdict:
    return judge_memory(partial(_judge, context.snapshot.domains), guests=False)(context)


def _judge(domains: Domains | Unavailable, seen: MemoryView) -> Verdict:
    since_boot = seen.memory.counters.oom_kills
    if since_boot is None:
        return Verdict(state=State.UNKNOWN, summary="this kernel does not count OOM kills")
    lately = oom_kills(seen.memory, seconds=_NEWS_SECONDS)
    crashed = [] if isinstance(domains, Unavailable) else domains.by_uuid.values()
    dead = tuple(
        ObjectResult(id=each.name, detail="its QEMU was ended from outside, and it was not started again")
        for each in sorted(crashed, key=lambda domain: domain.name)
        if since_boot and not each.live and each.reason == "crashed"
    )
    words = f"{since_boot} killed since boot"
    if lately:
        return Verdict(
            state=State.CRIT, summary=f"{lately} killed in the last minutes, {words}", objects=dead
        )
    if dead:
        return Verdict(state=State.CRIT, summary=f"{words}, and guests are down since", objects=dead)
    return Verdict(state=State.OK, summary="none" if not since_boot else f"{words}, none lately")


CHECK = Check(
    code="MEMORY_OOM_KILLED",
    group="memory",
    title="The OOM killer ended a process",
    severity=State.CRIT,
    meaning=(
        "The kernel's count of OOM kills rose in the last 15 minutes, or it is above zero and a guest's QEMU "
        "was ended from outside and is still down. The count has kills within a cgroup's own limit as well."
    ),
    impact=(
        "A guest is gone as after a power cut, or a daemon of the host is. What made the memory short is "
        "still there."
    ),
    evidence=(
        "journalctl -k -b --grep 'Out of memory|oom-kill'",
        "grep oom_kill /proc/vmstat",
        "virsh list --all",
        "hostagent memory",
    ),
    repair=(
        "journalctl names the victim and lists every process with its memory: find who grew. Start a killed "
        "guest elsewhere first; here only once `hostagent memory` shows room for it. With the line "
        "CONSTRAINT_MEMCG its own limit was too low (memtune hard_limit, a slice's MemoryMax)."
    ),
    evaluate=_evaluate,
    examples=(
        Example(
            title="a kill a minute ago",
            state=State.CRIT,
            host="""
[memory]
counters = { at = 60.0, oom_kills = 3 }
past = [{ at = 0.0, oom_kills = 2 }]
""",
        ),
        Example(
            title="a guest is down since",
            state=State.CRIT,
            objects=("a",),
            host="""
[[domain]]
name = "a"
live = false
reason = "crashed"
[memory]
counters = { at = 60.0, oom_kills = 1 }
""",
        ),
        Example(
            title="a kill long ago",
            state=State.OK,
            host="""
[memory]
counters = { at = 6000.0, oom_kills = 2 }
past = [{ at = 5200.0, oom_kills = 2 }]
""",
        ),
        Example(
            title="a guest crashed without the OOM killer",
            state=State.OK,
            host="""
[[domain]]
name = "a"
live = false
reason = "crashed"
""",
        ),
        Example(
            title="/proc can't be read",
            state=State.UNKNOWN,
            host='unavailable = { memory = "invalid: /proc/meminfo can\'t be read" }',
        ),
    ),
)
