"""What a person takes back: the agent knows of it before it acts, however close the two come."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import pytest

from hostagent.act import lock
from hostagent.act.history import Did, runs
from hostagent.act.journal import Journal
from hostagent.config import Paths, Settings
from hostagent.daemon.repairs import Repairer
from hostagent.daemon.tally import Tally
from hostagent.decide.agent.cycle import Cycle, Memory
from hostagent.model.plan import Drift, Plan, StepKind
from tests.unit.act.data import step
from tests.unit.act.snapshots import snapshot

if TYPE_CHECKING:
    from pathlib import Path

STEP = step(StepKind.READD_PORT, "vnet1", ifindex=7, domain="v")
CYCLE = Cycle(memory=Memory(), drift=Drift(findings=(), unknown={}), plan=Plan(steps=(STEP,)))


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    run_dir, stop = str(tmp_path / "run"), str(tmp_path / "stop")
    return Settings(paths=Paths(state_dir=str(tmp_path), run_dir=run_dir, stop_file=stop))


@pytest.fixture
def repairer(settings: Settings) -> Repairer:
    return Repairer(settings, snapshot, Tally())


def write(settings: Settings, what: str, *, undoes: tuple[str, ...] = ()) -> Path:
    """A run that has done something to the guest's port."""
    action = {"action": 1, "kind": "", "object": STEP.object, "codes": [], "reason": ""}
    with Journal.create(settings, what=what, who=what, undoes=undoes) as journal:
        journal.write("intent", attempt=1, actions=[action])
        journal.finish({1: (Did.DONE, "")})
        return journal.path


def test_an_undo_in_the_second_of_the_repair_is_seen(settings: Settings, repairer: Repairer) -> None:
    repair = write(settings, "fix")
    assert repairer.undone(since=0) == {}
    undo = write(settings, "undo", undoes=(f"{repair.stem}.1",))
    # The names' last part is random, so the later run may well come before the earlier one.
    undo = undo.rename(undo.with_name(f"{repair.stem[:-4]}.jsonl"))
    assert undo < repair
    assert repairer.undone(since=0) == {STEP.object: undo.stem}
    assert repairer.undone(since=time.time() + 1) == {}


def test_an_undo_that_ends_while_the_agent_waits_for_it_is_seen(
    settings: Settings, repairer: Repairer
) -> None:
    repair, held = write(settings, "fix"), threading.Event()

    def undo() -> None:
        with lock.held(settings, who="hostagent undo", wait_seconds=1):
            held.set()  # by now OVSDB has changed, which wakes the agent, and the journal says nothing yet
            write(settings, "undo", undoes=(f"{repair.stem}.1",))

    assert repairer.undone(since=0) == {}
    person = threading.Thread(target=undo)
    person.start()
    assert held.wait(30)
    memory, reason = repairer.act(Memory(), CYCLE, since=0)
    person.join()
    assert reason == "repaired 0 of 1 (hostagent history)"
    assert memory == Memory(), "it counts as no failure, after which resuming would take its time"
    assert [run.what for run in runs(settings)] == ["fix", "undo"]
