"""Mutes as tables: what was muted, what is shown now → alerts or not, lapses or not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hostagent.health.api import ObjectResult, State
from hostagent.health.mutes import left, marked, refusal
from hostagent.health.report import Report, Result
from hostagent.model.published import Mute

NOW = 1000.0
CODE = "OVS_PORT_STALE"


def result(words: str) -> Result:
    """What "crit a b/c" means: a state and the ids of its objects."""
    state, *ids = words.split()
    objects = tuple(ObjectResult(id=each, detail="") for each in ids)
    return Result(code=CODE, state=State(state), summary="", objects=objects)


def mute(words: str, object_id: str = "", *, until: float = NOW + 1, sticky: bool = False) -> Mute:
    """One that was made when the check was as ``words`` say."""
    was = result(words)
    return Mute(
        code=CODE,
        object=object_id,
        until=until,
        reason="r",
        by="b",
        since=0.0,
        sticky=sticky,
        state=str(was.state),
        objects=len(was.objects),
    )


def judged(mutes: list[Mute], now: str) -> tuple[bool, int]:
    """Whether the result is muted, and how many mutes are left."""
    report = Report(
        host="h", taken_at=0.0, results=(result(now), Result(code="X", state=State.OK, summary=""))
    )
    kept = left(mutes, report, now=NOW)
    return marked(report, kept, now=NOW).results[0].muted, len(kept)


SILENT, ALERTS, LAPSED = (True, 1), (False, 1), (False, 0)


@pytest.mark.parametrize(
    ("was", "now", "whole", "sticky"),
    [
        ("warn a", "warn a", SILENT, SILENT),
        ("warn a", "warn b", SILENT, SILENT),  # as many as before, as ceph counts them
        ("warn a b", "warn a", SILENT, SILENT),
        ("warn a", "warn a b", LAPSED, SILENT),
        ("warn a", "crit a", LAPSED, SILENT),
        ("crit a", "warn a", SILENT, SILENT),
        ("crit", "crit", SILENT, SILENT),
        ("warn a", "ok", LAPSED, ALERTS),  # nothing to be silent about; a sticky one waits
        ("ok", "crit a b", LAPSED, SILENT),
        ("warn a", "unknown", ALERTS, SILENT),  # neither cleared nor worse, but nobody knows: it alerts
        ("unknown", "unknown", SILENT, SILENT),
        ("unknown", "crit", LAPSED, SILENT),
        ("crit a", "unknown", SILENT, SILENT),
        ("warn a", "skip", ALERTS, ALERTS),
    ],
)
def test_a_check(was: str, now: str, whole: tuple[bool, int], sticky: tuple[bool, int]) -> None:
    assert judged([mute(was)], now) == whole
    assert judged([mute(was, sticky=True)], now) == sticky
    assert judged([mute(was, sticky=True, until=NOW)], now) == LAPSED


@pytest.mark.parametrize(
    ("was", "muted", "now", "expected"),
    [
        ("warn a", ["a"], "warn a", (True, 1)),
        ("warn a b", ["a"], "warn a b", (False, 1)),
        ("warn a b", ["a", "b"], "warn a b", (True, 2)),
        ("warn a b", ["a", "b"], "warn b", (True, 1)),
        ("warn a", ["a"], "warn a b", (False, 1)),  # the other object alerts, the mute of this one holds
        ("warn a", ["a"], "warn b", (False, 0)),
        ("warn a", ["a"], "crit a", (False, 0)),
        ("warn a", ["a"], "unknown", (False, 1)),
        ("warn a", ["a"], "unknown a", (False, 1)),
        ("warn br-int/a/b", ["br-int/a/b"], "warn br-int/a/b", (True, 1)),
        ("crit a", ["a"], "crit", (False, 0)),
    ],
)
def test_objects(was: str, muted: list[str], now: str, expected: tuple[bool, int]) -> None:
    assert judged([mute(was, each) for each in muted], now) == expected


def test_a_code_that_the_report_does_not_hold_proves_nothing() -> None:
    report = Report(host="h", taken_at=0.0, results=())
    assert left([mute("warn a")], report, now=NOW) == (mute("warn a"),)
    assert left([mute("warn a", until=NOW)], report, now=NOW) == ()


def test_a_mute_of_another_code_silences_nothing() -> None:
    assert judged([replace(mute("warn a"), code="OVS_PORT_STALE_NOT")], "warn a") == (False, 1)


def test_marking_changes_nothing_else_and_takes_old_marks_away() -> None:
    report = Report(host="h", taken_at=0.0, results=(replace(result("warn a"), since=5.0, muted=True),))
    again = marked(report, (), now=NOW)
    assert again == replace(report, results=(replace(report.results[0], muted=False),))


@pytest.mark.parametrize(
    ("now", "object_id", "refused"),
    [
        ("warn a", "", ""),
        ("warn a", "a", ""),
        ("warn a", "b", "OVS_PORT_STALE has no object b now (hostagent check --full OVS_PORT_STALE lists"),
        ("ok", "", "OVS_PORT_STALE is ok: there is nothing to mute"),
        ("ok a", "a", "OVS_PORT_STALE is ok: there is nothing to mute"),
        ("skip", "", "OVS_PORT_STALE is skip: there is nothing to mute"),
        ("unknown", "", ""),
    ],
)
def test_only_what_is_raised_can_be_muted(now: str, object_id: str, refused: str) -> None:
    said = refusal(result(now), CODE, object_id, sticky=False)
    assert said.startswith(refused)
    assert bool(said) == bool(refused)
    assert refusal(result(now), CODE, object_id, sticky=True) == ""
    assert refusal(None, CODE, object_id, sticky=True).startswith("no check is called OVS_PORT_STALE")
