"""Every folder under tests/cases/drift: a host, what is found on it, and what is to be done about it."""

import tomllib
from pathlib import Path

import pytest

from hostagent.config import Repair
from hostagent.decide.drift import find_drift
from hostagent.decide.drift.codes import CODES
from hostagent.decide.repair import plan_repair
from hostagent.health.case import parse_host

CASES = Path(__file__).parents[2] / "cases" / "drift"
FOLDERS = sorted(path.name for path in CASES.iterdir())


@pytest.mark.parametrize("name", FOLDERS)
def test_case(name: str) -> None:
    snapshot = parse_host((CASES / name / "host.toml").read_text())
    expect = tomllib.loads((CASES / name / "expect.toml").read_text())
    drift = find_drift(snapshot)
    assert sorted(f"{each.code} {each.object}" for each in drift.findings) == sorted(expect.pop("drift"))
    for key, skip in (("unknown", False), ("skip", True)):
        for code in expect.pop(key, []):
            assert drift.unknown[code].skip is skip
    codes = frozenset(expect.pop("codes", []))
    plan = plan_repair(drift, snapshot, limits=Repair(), codes=codes, force=expect.pop("force", False))
    assert bool(plan.refused) is ("refused" in expect)
    assert expect.pop("refused", "") in plan.refused
    steps = expect.pop("steps")
    if isinstance(steps, str):
        assert len(plan.steps) == int(steps)
    else:
        assert [f"{step.kind} {step.object}" for step in plan.steps] == steps
    for wished in expect.pop("held", []):
        assert wished in [f"{each.code} {each.object}" for each in plan.held]
    if "changes" in expect:
        assert [f"{c.path}={c.new}" for step in plan.steps for c in step.changes] == expect.pop("changes")
    if "qos" in expect:
        assert sorted(uuid for step in plan.steps for uuid in step.qos + step.queues) == expect.pop("qos")
    for key, attribute in (("target", "target_bridge"), ("limit", "limit")):
        if key in expect:
            assert getattr(plan.steps[0], attribute) == expect.pop(key)
    for flag in ("on_request", "witnessed"):
        if flag in expect:
            assert getattr(plan.steps[0], flag) is expect.pop(flag)
    assert not expect, f"{name}: expect.toml has keys that nothing looks at: {sorted(expect)}"


def test_every_code_has_a_case_that_shows_it() -> None:
    shown = {
        word.split()[0]
        for name in FOLDERS
        for word in tomllib.loads((CASES / name / "expect.toml").read_text())["drift"]
    }
    assert shown == set(CODES)
