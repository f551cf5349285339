"""What is on disk before and after, and what is read of it when the process died in between."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from hostagent.act import history, lock
from hostagent.act.history import Did, runs, tell
from hostagent.act.journal import Journal, directory, paths
from hostagent.config import Paths, Settings
from hostagent.errors import JournalError, RefusedError


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    tmp_path.chmod(0o755)
    places = Paths(state_dir=f"{tmp_path}/state", run_dir=f"{tmp_path}/run", stop_file=f"{tmp_path}/stop")
    return Settings(paths=places)


def action(number: int) -> dict[str, object]:
    return {
        "action": number,
        "kind": "delete port",
        "object": "br/p",
        "name": "p",
        "codes": ["C"],
        "reason": "r",
    }


def begin(settings: Settings, *, undoes: tuple[str, ...] = (), count: int = 2) -> Journal:
    log = Journal.create(settings, what="undo" if undoes else "fix", who="somebody", undoes=undoes)
    log.write("intent", attempt=1, actions=[action(n) for n in range(1, count + 1)])
    return log


def test_a_finished_run(settings: Settings) -> None:
    with begin(settings) as log:
        assert log.finish({1: (Did.DONE, ""), 2: (Did.FAILED, "words")}) == ""
    (run,) = runs(settings)
    assert run.finished
    assert run.by.who == "somebody"
    assert run.by.pid == os.getpid()
    assert [(each.id, each.state, each.detail) for each in run.actions] == [
        (f"{log.run}.1", Did.DONE, ""),
        (f"{log.run}.2", Did.FAILED, "words"),
    ]


def test_modes(settings: Settings) -> None:
    with begin(settings) as log:
        assert log.path.stat().st_mode & 0o777 == 0o600
        assert directory(settings).stat().st_mode & 0o777 == 0o700


def test_a_torn_last_line_is_left_out_and_ended(settings: Settings) -> None:
    with begin(settings) as log:
        pass
    whole = log.path.read_bytes()
    for cut in range(1, len(whole.splitlines()[-1])):
        log.path.write_bytes(whole[:-cut])
        assert tell(log.path).actions == ({} if cut > 1 else {1: action(1), 2: action(2)})
    with Journal.reopen(log.path) as again:
        again.finish({})
    assert tell(log.path).finished


def test_died_before_it_was_done(settings: Settings) -> None:
    with begin(settings):
        pass
    (run,) = runs(settings)
    assert not run.finished
    assert {each.state for each in run.actions} == {Did.UNFINISHED}


def test_a_later_intent_replaces_the_earlier(settings: Settings) -> None:
    with begin(settings, count=3) as log:
        log.write("begun", phase="first")
        log.write("aborted", phase="first", reason="changed")
        log.write("intent", attempt=2, actions=[action(1)])
    told = tell(log.path)
    assert (set(told.actions), told.phases) == ({1}, ())


def test_an_undo_of_an_undo(settings: Settings) -> None:
    with begin(settings) as fixed:
        fixed.finish({1: (Did.DONE, ""), 2: (Did.DONE, "")})
    with begin(settings, undoes=(f"{fixed.run}.2",), count=1) as undo:
        undo.finish({1: (Did.DONE, "")})
    assert [each.undone_by for each in runs(settings)[0].actions] == ["", undo.run]
    with begin(settings, undoes=(f"{undo.run}.1",), count=1) as redo:
        redo.finish({1: (Did.DONE, "")})
    assert [each.undone_by for each in runs(settings)[0].actions] == ["", ""]


def test_a_failed_undo_undoes_nothing(settings: Settings) -> None:
    with begin(settings, count=1) as fixed:
        fixed.finish({1: (Did.DONE, "")})
    with begin(settings, undoes=(f"{fixed.run}.1",), count=1) as undo:
        undo.finish({1: (Did.FAILED, "words")})
    assert runs(settings)[0].actions[0].undone_by == ""


def test_no_journal_is_no_runs(settings: Settings) -> None:
    assert history.runs(settings) == ()
    assert paths(settings) == []


@pytest.mark.parametrize("mode", [0o777, 0o770])
def test_a_directory_that_others_may_write_to_is_refused(settings: Settings, mode: int) -> None:
    directory(settings).mkdir(parents=True)
    directory(settings).chmod(mode)
    with pytest.raises(JournalError, match="chmod go-w"):
        begin(settings)


@pytest.mark.skipif(os.geteuid() != 0, reason="gives a directory away")
def test_a_directory_of_somebody_else_is_refused(settings: Settings) -> None:
    directory(settings).mkdir(parents=True)
    os.chown(directory(settings), 65534, 65534)
    with pytest.raises(JournalError, match="belongs to user 65534"):
        begin(settings)


def test_a_full_disk(settings: Settings) -> None:
    with begin(settings) as log, Path("/dev/full").open("wb") as full:
        broken = Journal(log.path, os.dup(full.fileno()))
        with broken:
            with pytest.raises(JournalError, match="No space left"):
                broken.write("begun", phase="first")
            assert "could not be written" in broken.finish({}), "and nothing is written after a gap"


def test_the_lock_names_its_holder(settings: Settings) -> None:
    with (
        lock.held(settings, who="hostagent fix", wait_seconds=0),
        pytest.raises(RefusedError, match=rf"hostagent fix \(pid {os.getpid()}, since "),
        lock.held(settings, who="another", wait_seconds=0.15),
    ):
        pass
    with lock.held(settings, who="another", wait_seconds=0):
        written = json.loads((directory(settings).parents[1] / "run" / "act.lock").read_text())
        assert written["who"] == "another"


def test_the_stop_file_halts(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "stop").touch()
    with pytest.raises(RefusedError, match="stop exists"), lock.held(settings, who="w", wait_seconds=0):
        pass
