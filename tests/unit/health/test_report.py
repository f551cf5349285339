"""A report through JSON and back, and since when its states hold."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hostagent.health.api import ObjectResult, State
from hostagent.health.report import Report, Result
from hostagent.health.since import with_since

words = st.text(max_size=9)
times = st.integers(0, 2**32).map(float)
objects = st.builds(ObjectResult, id=words, detail=words)
results = st.builds(
    Result,
    code=st.text(min_size=1, max_size=9),
    state=st.sampled_from(State),
    summary=words,
    objects=st.lists(objects, max_size=3).map(tuple),
    fixable=st.booleans(),
    duration_seconds=st.integers(0, 10**6).map(lambda each: each / 10**6),
    age_seconds=st.integers(0, 10**6).map(lambda each: each / 10**3),
    since=st.none() | times,
    muted=st.booleans(),
)
reports = st.builds(Report, host=words, taken_at=times, results=st.lists(results, max_size=4).map(tuple))


@given(reports)
def test_there_and_back(report: Report) -> None:
    assert Report.from_json(json.loads(json.dumps(report.as_json()))) == report


def document(**changed: Any) -> dict[str, Any]:
    result = Result(code="C", state=State.OK, summary="s", objects=(ObjectResult(id="o", detail="d"),))
    made = Report(host="h", taken_at=0.0, results=(result,)).as_json()
    check = made["checks"][0] | {key[2:]: each for key, each in changed.items() if key.startswith("c_")}
    return {**made, "checks": [check], **{key: each for key, each in changed.items() if key[:2] != "c_"}}


def test_what_a_later_version_adds_is_left_out() -> None:
    assert Report.from_json(document(more=1, c_more=2)) == Report.from_json(document())


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"schema": "hostagent.check/v2"}, "the report is no hostagent.check/v1, but 'hostagent.check/v2'"),
        ({"host": 1}, "host is 1"),
        ({"time": "yesterday"}, "Invalid isoformat string: 'yesterday'"),
        ({"checks": {}}, "checks is {}"),
        ({"checks": [1]}, "a check is no table, but 1"),
        ({"checks": [{}]}, "state is missing"),
        ({"c_state": "fine"}, "'fine' is no state"),
        ({"c_muted": 1}, "muted is 1"),
        ({"c_age_s": True}, "age_s is True"),
        ({"c_objects": [{"id": "x"}]}, "detail is missing"),
        ({"c_since": 5}, "since is 5"),
    ],
)
def test_anything_else_is_named(changed: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(said)}$"):
        Report.from_json(document(**changed))


def test_no_report_at_all() -> None:
    with pytest.raises(ValueError, match="the report is no table, but None"):
        Report.from_json(None)


def look(at: float, **states: State) -> Report:
    made = tuple(Result(code=code, state=state, summary="") for code, state in states.items())
    return Report(host="h", taken_at=at, results=made)


def test_since_is_carried_on_while_the_state_holds() -> None:
    first = with_since(None, look(1.0, A=State.OK, B=State.CRIT))
    second = with_since(first, look(2.0, A=State.WARN, B=State.CRIT, C=State.OK))
    third = with_since(second, look(3.0, A=State.WARN, B=State.OK))
    fourth = with_since(third, look(4.0, A=State.WARN, B=State.OK, C=State.OK))
    since = [{each.code: each.since for each in report.results} for report in (first, second, third, fourth)]
    assert since == [
        {"A": 1.0, "B": 1.0},
        {"A": 2.0, "B": 1.0, "C": 2.0},
        {"A": 2.0, "B": 3.0},
        {"A": 2.0, "B": 3.0, "C": 4.0},
    ]


def test_an_earlier_report_without_times_is_no_witness() -> None:
    earlier = look(1.0, A=State.OK)
    assert with_since(earlier, look(2.0, A=State.OK)).results[0].since == 2.0


def test_counts_and_status_leave_the_muted_out() -> None:
    report = look(0.0, A=State.CRIT, B=State.WARN)
    report = replace(report, results=(replace(report.results[0], muted=True), report.results[1]))
    assert (report.status, dict(report.count())) == (State.WARN, {State.WARN: 1})
