"""Records to plain values and back."""

import json
from dataclasses import dataclass, replace

import pytest

from hostagent.config import Action
from hostagent.model.plain import plain, record
from hostagent.model.published import Hold, LoopCost, Mute, Published, Repairs, SourceHealth

WHOLE = Published(
    version="1",
    pid=7,
    started_at=1.0,
    taken_at=2.0,
    alive_at=3.5,
    fresh_seconds=180.0,
    report={"checks": [{"code": "X"}], "status": "ok"},
    sources=(SourceHealth(section="ovs", trouble="unreachable", reason="r", since=1.5),),
    repairs=(Repairs(code="OVS_PORT_STALE", result="done", count=2),),
    cost=LoopCost(looks=3, wakes={"timer": 2}),
    holds=(Hold(kind="paused", reason="work", since=1.0, until=9.0),),
    mutes=(Mute(code="X", until=9.0, reason="r", by="root", since=1.0),),
)


def test_there_and_back() -> None:
    assert record(Published, json.loads(json.dumps(plain(WHOLE)))) == WHOLE


def test_a_newer_key_is_left_out_and_an_older_document_has_the_default() -> None:
    raw = json.loads(json.dumps(plain(WHOLE)))
    raw["new"] = 1
    del raw["holds"]
    assert record(Published, raw) == replace(WHOLE, holds=())


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("pid", "7", "Published.pid: '7' is no int"),
        ("pid", None, "no int"),
        ("sources", {}, "is not such a list"),
        ("sources", [1], "SourceHealth: not a table"),
        ("report", [], "is no table"),
        ("holds", [{"kind": "paused", "reason": "x"}], "Hold.since is missing"),
    ],
)
def test_what_is_of_another_type_is_refused(key: str, value: object, words: str) -> None:
    raw = json.loads(json.dumps(plain(WHOLE)))
    raw[key] = value
    with pytest.raises(ValueError, match=words):
        record(Published, raw)


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    action: Action


def test_a_choice_is_one_of_its_words() -> None:
    assert record(Choice, {"action": "repair"}).action is Action.REPAIR
    with pytest.raises(ValueError, match="no Action"):
        record(Choice, {"action": "destroy"})
