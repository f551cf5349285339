"""How many more guests of a kind fit, and what stops the next one. The answer is admission's own."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from hostagent.config import Admit
from hostagent.decide.memory.admission import Admission, admit

if TYPE_CHECKING:
    from hostagent.config import Memory
    from hostagent.decide.memory.admission import Request
    from hostagent.model.budget import Budget, Level

_MOST = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Fits:
    """``count`` more fit; ``stop`` is the answer to the one after them, None if there is no end."""

    count: int
    stop: Admission | None


def how_many(budget: Budget, request: Request, policy: Memory, *, level: Level) -> Fits:
    """Count them. No policy lets one through: this is about what fits, not about who is let in."""
    strict = replace(policy, policy=Admit.ENFORCE)

    def answer(before: int) -> Admission:
        """The answer to the next one after so many, of which none has taken anything yet."""
        held = replace(request, uuid="", charge=request.charge * before).reserve(0.0)
        return admit(budget, replace(request, uuid="", ran_at=None), [held], strict, 0.0, level=level)

    if answer(_MOST).allowed:
        return Fits(count=_MOST, stop=None)
    low, high = 0, _MOST  # the answer is between: low have fit, after high none does
    while low < high:
        middle = (low + high) // 2
        if answer(middle).allowed:
            low = middle + 1
        else:
            high = middle
    return Fits(count=low, stop=answer(low))
