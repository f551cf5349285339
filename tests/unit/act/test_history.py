"""What the journal tells the agent: whose repairs count, what a person took back, what is too old."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from hostagent.act.history import Action, Did, Run, taken_back
from hostagent.act.journal import Journal, actor, carried_out, directory, prune
from hostagent.config import Paths, Settings

if TYPE_CHECKING:
    from pathlib import Path

START = datetime(2026, 11, 23, tzinfo=UTC)


def run(number: int, what: str, *objects: str, state: Did = Did.DONE) -> Run:
    actions = tuple(
        Action(id=f"r{number}.{n}", kind="", object=name, codes=(), reason="", state=state, detail="")
        for n, name in enumerate(objects, 1)
    )
    at = (START + timedelta(minutes=number)).isoformat()
    return Run(id=f"r{number}", at=at, what=what, by=actor("t"), undoes=(), actions=actions, finished=True)


def test_what_a_person_took_back() -> None:
    fixed = run(1, "fix", "br-int/vnet0", "br-int/vnet1")
    undone = run(2, "undo", "br-int/vnet0")
    assert taken_back([fixed], since=START) == {}
    assert taken_back([fixed, undone], since=START) == {"br-int/vnet0": "r2"}
    assert taken_back([fixed, replace(undone, actions=())], since=START) == {}
    assert taken_back([fixed, run(2, "undo", "br-int/vnet0", state=Did.DROPPED)], since=START) == {}
    assert taken_back([fixed, undone, run(3, "fix", "br-int/vnet0")], since=START) == {}
    assert taken_back([fixed, undone, run(3, "undo", "br-int/vnet0")], since=START) == {}
    assert taken_back([fixed, undone], since=START + timedelta(minutes=2)) == {}


def test_whose_repairs_count_and_what_is_pruned(tmp_path: Path) -> None:
    settings = Settings(paths=Paths(state_dir=str(tmp_path)))
    for who, states in (("hostagent agent", ("done", "done", "dropped")), ("hostagent fix", ("done",))):
        with Journal.create(settings, what="fix", who=who) as journal:
            journal.finish({n: (state, "") for n, state in enumerate(states, 1)})
    with Journal.create(settings, what="fix", who="hostagent agent"):
        pass  # died
    now = time.time()
    times = carried_out(settings, since=now - 60, who="hostagent agent")
    assert len(times) == 2
    assert all(abs(at - now) < 10 for at in times)
    assert carried_out(settings, since=now + 60, who="hostagent agent") == []
    assert prune(settings, before=now - 60) == 0
    assert prune(settings, before=now + 60) == 2
    assert len(list(directory(settings).iterdir())) == 1, "a run that died is not forgotten"
