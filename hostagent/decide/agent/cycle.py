"""One turn of the agent, decided: (memory, Snapshot, clock) → (memory, findings believed, what to do, why).

Pure, so that an hour of events passes in a moment on a clock of the tests' own.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from hostagent.decide.agent.latch import latched
from hostagent.decide.agent.policy import sort_out
from hostagent.decide.agent.suspicion import Suspicions, observe
from hostagent.decide.agent.tries import Tries
from hostagent.decide.agent.witness import Record, remember
from hostagent.decide.drift import find_drift
from hostagent.decide.drift.world import join
from hostagent.decide.ready import missing
from hostagent.decide.repair import plan_repair
from hostagent.model.plan import Severity
from hostagent.model.published import LeftAlone

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from hostagent.config import Settings
    from hostagent.model.host import Snapshot
    from hostagent.model.plan import Drift, Plan
    from hostagent.model.published import Hold


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """What one turn leaves to the next. Only ``record`` outlives the process."""

    suspicions: Suspicions = field(default_factory=Suspicions)
    tries: Tries = field(default_factory=Tries)
    record: Record = field(default_factory=Record)


@dataclass(frozen=True, slots=True, kw_only=True)
class Now:
    """The turn's circumstances, on the monotonic clock: when its look ``began``, and the event came for it.

    ``holds`` keep the agent from acting; so many repairs of the last hour count for the latch. ``undone``
    are the objects whose repair a person took back, with the id of that undo.
    """

    began: float
    woken_at: float
    holds: Sequence[Hold] = ()
    done_within_the_hour: int = 0
    undone: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cycle:
    """What the turn came to.

    ``plan`` is to be carried out now, None if nothing is; ``latch`` is why the agent has to stop acting from
    now on, or "". ``reason`` says the turn in an operator's words. ``due`` is when there will be something to
    do without any event.
    """

    memory: Memory
    drift: Drift
    plan: Plan | None = None
    latch: str = ""
    reason: str = ""
    left_alone: tuple[LeftAlone, ...] = ()
    due: float | None = None


def turn(memory: Memory, snapshot: Snapshot, now: Now, settings: Settings) -> Cycle:
    """Decide what one look means."""
    shown = find_drift(snapshot)
    seen = observe(memory.suspicions, shown, now=now.began, woken_at=now.woken_at, settings=settings)
    tries = memory.tries.only(frozenset(each.object for each in shown.findings))
    world = join(snapshot)
    record = memory.record if world is None else remember(memory.record, world, shown)
    plain = Cycle(
        memory=replace(memory, suspicions=seen.suspicions, tries=tries, record=record),
        drift=seen.drift,
        due=min((each for each in (seen.due, tries.due(now=now.began)) if each is not None), default=None),
    )
    if world is None or missing(snapshot):
        return replace(plain, reason=f"not acting: nothing is repaired without {missing(snapshot)}")
    believed = replace(
        seen.drift, findings=tuple(each for each in seen.drift.findings if each.object not in now.undone)
    )
    found = sort_out(believed, world.ovs, policy=settings.policy, record=record, tries=tries, now=now.began)
    plan = plan_repair(found.drift, snapshot, limits=settings.repair)
    held = (LeftAlone(code=each.code, object=each.object, reason=each.reason) for each in plan.held)
    left = (*found.left_alone, *held, *_taken_back(seen.drift, now.undone))
    if not plan.steps:
        words = plan.refused if plan.refused and found.drift.findings else ""
        reason = f"not acting: {words}" if words else _waiting(seen.due, left)
        return replace(plain, left_alone=left, reason=reason)
    latch = latched(now.done_within_the_hour, max_per_hour=settings.agent.max_per_hour)
    if reason := plan.refused or _held(now.holds) or latch:
        kept = (
            LeftAlone(code=code, object=each.object, reason=reason)
            for each in plan.steps
            for code in each.codes
        )
        return replace(plain, latch=latch, left_alone=(*left, *kept), reason=f"not acting: {reason}")
    steps = plan.steps[: settings.agent.max_per_hour - now.done_within_the_hour]
    words = f"repairing {len(steps)} object{'s' if len(steps) > 1 else ''}"
    return replace(plain, plan=replace(plan, steps=steps), left_alone=left, reason=words)


def _taken_back(drift: Drift, undone: Mapping[str, str]) -> Iterator[LeftAlone]:
    for each in drift.findings:
        if each.object in undone and each.severity is not Severity.OK:
            words = (
                f"a person took its repair back ({undone[each.object]}): hostagent fix {each.code} does it"
            )
            yield LeftAlone(code=each.code, object=each.object, reason=words)


def _held(holds: Sequence[Hold]) -> str:
    return "; ".join(f"{each.kind} ({each.reason})" if each.reason else each.kind for each in holds)


def _waiting(due: float | None, left: Sequence[LeftAlone]) -> str:
    if due is not None:
        return "something looks wrong: looking again before it is believed"
    return f"nothing to repair, {len(left)} left alone" if left else "nothing to repair"
