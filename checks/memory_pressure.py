"""Memory is nearly gone, or programs wait for it."""

from hostagent.decide.memory.state import LEVELS
from hostagent.decide.memory.view import MemoryView
from hostagent.decide.memory.words import percent, size, span
from hostagent.health.api import Check, Example, State, Verdict, judge_memory
from hostagent.model.budget import Level


def _judge(seen: MemoryView) -> Verdict:
    available = seen.memory.available
    if available is None:
        return Verdict(state=State.UNKNOWN, summary="/proc/meminfo has no MemAvailable")
    # What is promised, and what the OOM killer did, have checks of their own.
    pressed = seen.pressed
    words = f"{size(available)} ({percent(available / seen.memory.total)}) available"
    if LEVELS.index(pressed.level) < LEVELS.index(Level.SOFT):
        return Verdict(state=State.OK, summary=words)
    state = State.WARN if pressed.level is Level.SOFT else State.CRIT
    if pressed.better_since is not None:
        calm = span(seen.limits.calm_seconds)
        return Verdict(state=state, summary=f"{pressed.level} until it was better for {calm}: {words} now")
    return Verdict(state=state, summary=f"{pressed.level}: {'; '.join(pressed.reasons)}")


CHECK = Check(
    code="MEMORY_PRESSURE",
    group="memory",
    title="Memory is nearly gone, or programs wait for it",
    severity=State.CRIT,
    meaning=(
        "Of MemTotal less than 10 % (soft), 5 % (hard) or 2 % (low) is available, or programs spent more "
        "than 10 % of the last minute waiting for memory (soft), or all of them 5 % of the last 10 seconds "
        "at once (hard), or pages keep coming in from swap (hard). Soft is a warning, hard and low are "
        "critical. The agent takes a level back once every figure was better by two points for "
        "memory.calm_seconds."
    ),
    impact=(
        "Guests stall while the kernel searches for pages; next the OOM killer takes the largest process, "
        "which is a guest."
    ),
    evidence=(
        "hostagent memory",
        "cat /proc/pressure/memory",
        "grep -E 'MemAvailable|Slab|Shmem|Hugetlb' /proc/meminfo",
        "ps -eo pid,rss,args --sort=-rss | head",
    ),
    repair=(
        "Let nothing start here, and move the guests away that `hostagent memory` lists first. See whether "
        "it is a guest at all: an osd, a page cache that is pinned, or a leak of the host's own shows in ps "
        "and in Slab. Killing a guest frees less than its RSS where its pages are merged."
    ),
    evaluate=judge_memory(_judge, guests=False),
    examples=(
        Example(title="2 of 64 GiB available", state=State.CRIT, host="memory = { available = 2 }"),
        Example(
            title="everything waits",
            state=State.CRIT,
            host="memory = { pressure = { some_avg60 = 30.0, full_avg10 = 8.0 } }",
        ),
        Example(title="7 of 64 GiB available are enough", state=State.OK, host="memory = { available = 7 }"),
        Example(
            title="a kernel without MemAvailable",
            state=State.UNKNOWN,
            host='memory = { available = "unknown" }',
        ),
    ),
)
