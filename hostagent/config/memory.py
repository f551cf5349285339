"""The budget of the host's memory and CPUs."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from hostagent.config.key import key


class Admit(StrEnum):
    """What becomes of a start that does not fit."""

    OBSERVE = "observe"
    ENFORCE = "enforce"


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """How far memory may be promised beyond what there is, and who may start then."""

    policy: Admit = key(
        Admit.OBSERVE,
        '"observe" counts the starts that do not fit, "enforce" refuses those of new guests',
        stated=True,
    )
    unmerge: Admit = key(
        Admit.OBSERVE,
        '"observe" or "enforce" that a start leaves room for writing all that KSM has merged; swap counts',
    )
    ratio: float = key(
        1.2, "how much of elastic guests' memory may be promised for each byte that there is", least=1, most=3
    )
    reserved_mib: int = key(
        2048,
        "kept for the host itself; more where all that is no guest was seen to take more",
        least=0,
        most=1_000_000,
    )
    cpu_ratio: float = key(2.0, "how many virtual CPUs a thread of the host may carry", least=0.1, most=64)
    calm_seconds: float = key(
        300.0,
        "how long the memory must look better, by two points, before its state gets better",
        least=0,
        most=86_400,
    )
    scan_seconds: float = key(
        3600.0, "KSM should look at all that can be merged within this time", least=10, most=604_800
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Ksm:
    """Whether the agent sets KSM's pace, towards memory.scan_seconds. It hands back what it found."""

    tune: bool = key(default=False, about="whether the agent switches KSM on and sets its pace")
    cpu_percent: int = key(20, "how much of one CPU KSM's thread may take then", least=1, most=100)
