"""Guests that wait for their boot, or are held at it, although nobody boots before them."""

from hostagent.config import Pacing
from hostagent.decide.boot.judging import LONG_SECONDS, Stuck, queued, stuck
from hostagent.decide.memory.words import span
from hostagent.health.api import Check, Example, ObjectResult, State, Verdict, judge_boots
from hostagent.model.boot_told import BootsTold


def _judge(boots: BootsTold, pacing: Pacing) -> Verdict:
    waiting, found = queued(boots), stuck(boots, pacing)
    if not found:
        whose = "its" if len(waiting) == 1 else "their"
        words = f"{_guests(len(waiting))} for {whose} turn" if waiting else "no guest waits for its boot"
        return Verdict(state=State.OK, summary=words)
    objects = tuple(ObjectResult(id=each.name, detail=each.detail) for each in found)
    long = any(each.seconds >= LONG_SECONDS for each in found)
    return Verdict(state=State.CRIT if long else State.WARN, summary=_words(boots, found), objects=objects)


def _words(boots: BootsTold, found: tuple[Stuck, ...]) -> str:
    count = _guests(len(found))
    if boots.halted:
        return f"{count}, and the agent neither holds nor releases: {boots.halted}"
    if boots.hold:
        return f"{count}, and a person stopped all releases: {boots.hold}"
    return f"{count} in vain, for {span(max(each.seconds for each in found))}"


def _guests(count: int) -> str:
    return f"{count} guest waits" if count == 1 else f"{count} guests wait"


CHECK = Check(
    code="BOOT_QUEUE_STUCK",
    group="boot",
    title="Guests wait for their boot, and their turn does not come",
    severity=State.CRIT,
    meaning=(
        "A guest is held (started, and suspended before its first I/O) or waits to be started, and nothing "
        "goes on: a person or the stop file has halted the agent, or `hostagent boot hold` all releases "
        "(said at once); nothing was released for 10 minutes although its storage may take more boots; "
        "memory or a start that fails has kept it for 10 minutes; or the boots before it have used up all "
        "room for 10 minutes longer than boot.timeout_seconds. It is critical after 30 minutes. Guests that "
        "wait for their turn in a boot storm are no matter."
    ),
    impact=(
        "A held guest stands still: to its users and to the cluster in it, it is off. One that waits was "
        "never started."
    ),
    evidence=(
        "hostagent boot status",
        "hostagent status",
        "virsh list --all",
        "journalctl -u hostagent --since -1h",
    ),
    repair=(
        "By its reason. Halted by a person: `hostagent resume`, or remove /etc/hostagent/stop. All releases "
        "stopped: `hostagent boot resume`. For the memory: `hostagent memory` says what is short; move or "
        "stop guests. A dependency that does not come up: it is given up after boot.dependency_seconds. "
        "`hostagent boot go NAME` lets one guest go now, whatever stands against it, `hostagent boot go "
        "--all` every one. Without an agent at all, hostagent-release.service lets them go slowly; by hand "
        "`virsh resume NAME` is always safe."
    ),
    evaluate=judge_boots(_judge),
    examples=(
        Example(
            title="nothing released for 11 minutes, and there is room",
            state=State.WARN,
            objects=("alice", "bob"),
            host="""
[boots]
released_ago = 660
[[boots.pool]]
booting = 1
[[boots.guest]]
name = "alice"
ago = 700
reason = "the memory is soft: 6 % is available"
[[boots.guest]]
name = "bob"
state = "waiting"
ago = 800
reason = "starts after alice, which is held"
""",
        ),
        Example(
            title="the stop file, a moment ago",
            state=State.WARN,
            objects=("alice",),
            host="""
[boots]
halted = "/etc/hostagent/stop exists"
released_ago = 5
[[boots.guest]]
name = "alice"
ago = 20
reason = "8 boots running, limit 8"
""",
        ),
        Example(
            title="the stop file, and forgotten",
            state=State.CRIT,
            objects=("alice",),
            host="""
[boots]
halted = "/etc/hostagent/stop exists"
released_ago = 1900
[[boots.guest]]
name = "alice"
ago = 1810
""",
        ),
        Example(
            title="a person holds, and nobody waits",
            state=State.OK,
            host="""
[boots]
hold = "the array is rebuilding"
[[boots.guest]]
name = "alice"
state = "booting"
""",
        ),
        Example(
            title="others fit into the memory, this one does not",
            state=State.WARN,
            objects=("alice",),
            host="""
[boots]
released_ago = 5
[[boots.pool]]
booting = 3
[[boots.guest]]
name = "alice"
ago = 700
reason = "the budget of 57.0 GiB would need 60.1 GiB with it"
""",
        ),
        Example(
            title="a storm: each waits for its turn",
            state=State.OK,
            host="""
[boots]
released_ago = 3
[[boots.pool]]
booting = 8
queued = 1
[[boots.guest]]
name = "alice"
ago = 2400
reason = "8 boots running, limit 8"
""",
        ),
        Example(
            title="a boot has just ended, and its room is not taken yet",
            state=State.OK,
            host="""
[boots]
released_ago = 60
[[boots.pool]]
booting = 7
[[boots.guest]]
name = "alice"
ago = 2400
reason = "8 boots running, limit 8"
""",
        ),
        Example(
            title="boots of nova fill the limit for too long",
            state=State.WARN,
            objects=("alice",),
            host="""
[boots]
released_ago = 1250
[[boots.pool]]
booting = 20
[[boots.guest]]
name = "alice"
ago = 1300
reason = "20 boots running, limit 8"
[[boots.guest]]
name = "instance-1"
managed = "nova"
state = "booting"
""",
        ),
        Example(
            title="the pacing has lost sight of libvirt",
            state=State.UNKNOWN,
            host="""
[boots]
unknown_ago = 60
[[boots.guest]]
name = "alice"
ago = 700
""",
        ),
        Example(title="a look without an agent", state=State.SKIP, host=""),
    ),
)
