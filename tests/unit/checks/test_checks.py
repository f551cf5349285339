"""Every check: its examples give what they say, and its words are what DRIFT says of the code."""

import re
from pathlib import Path

import pytest

from hostagent.decide.drift.codes import CODES
from hostagent.health.api import Check, Example, State
from hostagent.health.case import parse_context
from hostagent.health.loader import load_checks

CHECKS = load_checks("/nonexistent").by_code
EXAMPLES = [
    pytest.param(check, example, id=f"{check.code}: {example.title}")
    for check in CHECKS.values()
    for example in check.examples
]
every_check = pytest.mark.parametrize("check", CHECKS.values(), ids=list(CHECKS))


@pytest.mark.parametrize(("check", "example"), EXAMPLES)
def test_example(check: Check, example: Example) -> None:
    verdict = check.evaluate(parse_context(example.host))
    assert verdict.state is example.state
    assert tuple(each.id for each in verdict.objects) == example.objects
    assert verdict.summary


@every_check
def test_examples_show_a_fault_and_a_near_miss(check: Check) -> None:
    states = [example.state for example in check.examples]
    if check.severity is State.OK:
        assert any(example.objects for example in check.examples)
    else:
        assert check.severity in states
    assert {State.OK, State.SKIP} & set(states)
    milder = {State.WARN} if check.severity is State.CRIT else set()
    assert set(states) <= {check.severity, State.OK, State.UNKNOWN, State.SKIP} | milder
    hosts = [example.host for example in check.examples]
    assert len(set(hosts)) == len(hosts)


@every_check
def test_identity(check: Check) -> None:
    assert re.fullmatch(r"[A-Z]+(_[A-Z]+)+", check.code)
    assert check.group == check.code.split("_")[0].lower()
    if check.code in CODES:
        assert str(check.severity) == str(CODES[check.code].severity)
        assert check.grace is CODES[check.code].grace


@every_check
def test_runbook_is_whole(check: Check) -> None:
    assert len(check.meaning) > 60
    assert check.impact
    assert check.evidence
    assert len(check.repair) > 60
    for words in (check.title, check.meaning, check.impact, check.repair, *check.evidence):
        assert words == " ".join(words.split()), "one line, no double blanks"
    named = set(re.findall(r"\b[A-Z]+(?:_[A-Z]+){2,}\b", check.meaning + check.impact + check.repair))
    assert named - {"OVS_CTL_OPTS"} <= CHECKS.keys(), "a code that a runbook names exists"


@every_check
def test_fixable_is_said_exactly_where_the_runbook_offers_a_fix(check: Check) -> None:
    offered = f"`hostagent fix {check.code}`" in check.repair
    fixable = False
    for example in check.examples:
        fixable |= check.evaluate(parse_context(example.host)).fixable
    assert fixable is offered


def test_each_file_holds_the_check_of_its_name() -> None:
    files = {path.stem.upper() for path in (Path(__file__).parents[3] / "checks").glob("[!_]*.py")}
    assert files == CHECKS.keys()
