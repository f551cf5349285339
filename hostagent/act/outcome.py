"""What a run came to, step by step, in an operator's words."""

from __future__ import annotations

from dataclasses import dataclass

from hostagent.act.history import Did


@dataclass(frozen=True, slots=True, kw_only=True)
class StepResult:
    """``id`` is what ``undo`` takes. ``reason`` is empty only when the step is done."""

    id: str
    kind: str
    object: str
    state: Did
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The run's id ("" if there was nothing to do), its steps, and what was ended of runs that had died.

    ``untold`` is why the journal does not have the run's end ("" if it has): the next run writes it.
    """

    run: str
    results: tuple[StepResult, ...] = ()
    recovered: tuple[str, ...] = ()
    untold: str = ""

    @property
    def done(self) -> bool:
        """Whether every step was done and verified."""
        return all(each.state is Did.DONE for each in self.results)

    @property
    def nothing_done(self) -> bool:
        """Whether there were steps and none of them changed anything."""
        return bool(self.results) and all(each.state is Did.DROPPED for each in self.results)
