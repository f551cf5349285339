"""Storage that stays slow while guests boot."""

from hostagent.config import Pacing
from hostagent.decide.boot.judging import measured, slow_for
from hostagent.decide.memory.words import span
from hostagent.health.api import Check, Example, ObjectResult, State, Verdict, judge_boots
from hostagent.model.boot_told import BootsTold, PoolTold


def _judge(boots: BootsTold, pacing: Pacing) -> Verdict:
    seen = measured(boots)
    if not seen:
        return Verdict(state=State.SKIP, summary="latency is measured only while guests boot")
    slow = sorted((each for each in seen if slow_for(each, boots.at)), key=lambda each: each.pool)
    if not slow:
        return Verdict(state=State.OK, summary="; ".join(_latency(each) for each in seen))
    objects = tuple(ObjectResult(id=each.pool, detail=_detail(each, boots.at, pacing)) for each in slow)
    above = f"{'is' if len(slow) == 1 else 'are'} above {pacing.cut_latency_ratio:g} times the target"
    words = f"{len(slow)} of {len(seen)} measured pools {above}"
    return Verdict(state=State.WARN, summary=words, objects=objects)


def _latency(pool: PoolTold) -> str:
    if pool.latency_seconds is None:
        return f"{pool.pool}: no request completes"
    return f"{pool.pool}: {1000 * pool.latency_seconds:.1f} ms, target {1000 * pool.target_seconds:g} ms"


def _detail(pool: PoolTold, at: float, pacing: Pacing) -> str:
    boots = f"{pool.booting} {'boot' if pool.booting == 1 else 'boots'} running, limit {pool.limit}"
    least = ", the least there may be" if pool.limit <= pacing.least_limit else ""
    return f"{_latency(pool)}, for {span(slow_for(pool, at))}; {boots}{least}, {pool.queued} waiting"


CHECK = Check(
    code="DISK_LATENCY_HIGH",
    group="disk",
    title="The storage of guests stays slow while guests boot",
    severity=State.WARN,
    meaning=(
        "While guests boot or wait for it, the latency of each storage pool is measured, over all its "
        "requests. For 5 minutes it has been above boot.cut_latency_ratio times the pool's target "
        "(boot.target_*_seconds), or no request has completed, although the limit of boots falls within "
        "seconds and boots end within minutes. While nobody boots nothing is measured, and the check is "
        "skipped."
    ),
    impact=(
        "Every guest on that storage waits for its disks, and boots go on one by one. If the limit is at its "
        "least already, it is not the boots that make it slow."
    ),
    evidence=(
        "hostagent boot status",
        "iostat -xz 5 3",
        "cat /proc/pressure/io",
        "virsh domstats --block",
    ),
    repair=(
        "Reported only. See who else uses the storage: a rebuild of the array, a backup, a scrub, a "
        "snapshot that is merged, one guest with most of the requests (virsh domstats), another node on the "
        "same array or cluster. A disk that fails is slow before it is dead: smartctl -a, the controller's "
        "log. If the storage can do no better and the guests live with it, say so in "
        "boot.target_spinning_seconds, boot.target_ssd_seconds, boot.target_nvme_seconds or "
        "boot.target_other_seconds: a target that can't be met makes boots slow for nothing."
    ),
    evaluate=judge_boots(_judge, blind=True),
    examples=(
        Example(
            title="six minutes, and only one boot is let go",
            state=State.WARN,
            objects=("sda",),
            host="""
[[boots.pool]]
pool = "sda"
kind = "spinning"
target_seconds = 0.04
latency_seconds = 0.2
slow_ago = 360
limit = 1
booting = 1
queued = 12
[[boots.pool]]
pool = "nvme0n1"
kind = "nvme"
target_seconds = 0.005
latency_seconds = 0.001
""",
        ),
        Example(
            title="no request completes",
            state=State.WARN,
            objects=("rbd:vms",),
            host="""
[[boots.pool]]
pool = "rbd:vms"
slow_ago = 301
""",
        ),
        Example(
            title="no request completes, and libvirt hangs too",
            state=State.WARN,
            objects=("sda",),
            host="""
[boots]
unknown_ago = 100
[[boots.pool]]
pool = "sda"
slow_ago = 301
[unavailable]
domains = "unresponsive: libvirt did not answer within 5 s"
""",
        ),
        Example(
            title="a storm has just begun",
            state=State.OK,
            host="""
[[boots.pool]]
pool = "sda"
latency_seconds = 0.2
slow_ago = 20
booting = 8
""",
        ),
        Example(
            title="nobody boots",
            state=State.SKIP,
            host="""
[[boots.pool]]
pool = "sda"
""",
        ),
        Example(title="a look without an agent", state=State.SKIP, host=""),
    ),
)
