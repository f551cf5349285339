"""After acting: read again until all is as wished or time is up; put back what a guest needs after all."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING
from uuid import uuid4

from hostagent.act.history import Did
from hostagent.act.rows import State, Transition
from hostagent.act.undo import reverse
from hostagent.act.verify import unfit, wanted_back
from hostagent.decide.drift.world import World, join
from hostagent.decide.ready import missing
from hostagent.errors import ActError, ChangedError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from hostagent.act.batch import Batch
    from hostagent.act.rows import Database
    from hostagent.act.store import Store
    from hostagent.model.host import Snapshot

_AGAIN_SECONDS = 0.1

Results = dict[int, tuple[Did, str]]


def conclude(
    transitions: Sequence[Transition],
    *,
    store: Store,
    batch: Batch,
    look: Callable[[], Snapshot],
    lost: dict[int, str],
    guests_first: bool = True,
) -> Results:
    """The result of each transition by action. ``lost`` are those that failed already.

    ``guests_first`` puts a deleted port back that a running guest turns out to need; an undo that
    deletes one was asked for by name.
    """
    results: Results = {action: (Did.FAILED, words) for action, words in lost.items()}
    pending = [each for each in transitions if each.action not in lost]
    ends = time.monotonic() + store.patience(len(transitions))
    while pending:
        world, db, words = _observe(look, store)
        if world is not None and guests_first:
            results |= _put_back(pending, db, world, batch)
            pending = [each for each in pending if each.action not in results]
        reasons = {each.action: unfit(each, db, world) if world else words for each in pending}
        results |= {action: (Did.DONE, "") for action, reason in reasons.items() if not reason}
        pending = [each for each in pending if each.action not in results]
        if pending and time.monotonic() >= ends:
            results |= {each.action: (Did.FAILED, reasons[each.action]) for each in pending}
            break
        if pending:
            time.sleep(_AGAIN_SECONDS)
    return results


def _observe(look: Callable[[], Snapshot], store: Store) -> tuple[World | None, Database, str]:
    snapshot, db = look(), store.read()
    world = None if missing(snapshot) else join(snapshot)
    return world, db, f"carried out, but it could not be verified without {missing(snapshot)}"


def _put_back(transitions: Sequence[Transition], db: Database, world: World, batch: Batch) -> Results:
    """A guest started while its stale row was being deleted: its port comes back at once."""
    wanted = [each for each in transitions if wanted_back(each, db, world)]
    back, results = [], {}
    for each in wanted:
        words = f"domain {world.claims[each.name].domain.name} started with {each.name} meanwhile"
        try:
            back.append(reverse(each, db, lambda: str(uuid4()), action=each.action, leaving=frozenset()))
        except ChangedError as error:
            results[each.action] = (Did.FAILED, f"{words}, and its port could not be put back: {error}")
        else:
            results[each.action] = (Did.RESTORED, f"{words}: its port was put back")
    if back:
        try:
            lost = batch.add_back([_as_new(each) for each in back])
        except ActError as error:
            lost = {each.action: str(error) for each in back}
        results |= {action: (Did.FAILED, words) for action, words in lost.items()}
    return results


def _as_new(each: Transition) -> Transition:
    return Transition(action=each.action, name=each.name, before=State(), after=each.after)
