"""hostagent fix: the plan in words, consent, and exit codes; acting itself is proved on the lab's nodes."""

import json
import os
from dataclasses import replace
from typing import Any

import pytest

from hostagent.act.history import Did
from hostagent.act.outcome import Outcome, StepResult
from hostagent.cli import fix
from hostagent.cli.fix_text import Fixed, as_text, value_words
from hostagent.errors import JournalError
from hostagent.model.plan import Held, Owner, Plan, Step, StepKind, Unknown
from tests.unit.cli.conftest import Cli
from tests.unit.cli.hosts import GONE, HEALTHY, HOSTILE, HUNG, INHERITED, ORPHAN, STALE
from tests.unit.cli.test_check import golden

STEP = Step(
    kind=StepKind.DELETE_PORT,
    object="br-int/vnet7",
    name="vnet7",
    codes=("OVS_PORT_STALE",),
    reason="no tap",
    undo="puts it back",
    owner=Owner.LIBVIRT,
)
HELD = Held(code="OVS_PORT_STALE", object="br-int/vnet8", reason="domain bob has an active job")
BLIND = {"OVS_PORT_DEAD_RX": Unknown(section="packet_sockets", reason="denied", skip=False)}


def outcome(*states: Did) -> Outcome:
    results = tuple(
        StepResult(id=f"r.{n}", kind="delete port", object="br-int/vnet7", state=state, reason="why")
        for n, state in enumerate(states)
    )
    return Outcome(run="r", results=results)


def fixed(**values: Any) -> Fixed:
    return replace(Fixed(host="h", taken_at=0.0, plan=Plan(steps=())), **values)


@pytest.mark.parametrize(
    ("made", "code", "status"),
    [
        (fixed(), 0, "nothing to do"),
        (fixed(plan=Plan(steps=(), held=(HELD,))), 0, "nothing to do"),
        (fixed(unjudged=BLIND), 12, "refused"),
        (fixed(plan=Plan(steps=(STEP,))), 10, "pending"),
        (fixed(plan=Plan(steps=(STEP,)), unjudged=BLIND), 10, "pending"),
        (fixed(plan=Plan(steps=(STEP,), refused="too many")), 12, "refused"),
        (fixed(plan=Plan(steps=(STEP,)), outcome=outcome(Did.DONE, Did.DONE)), 0, "done"),
        (fixed(plan=Plan(steps=(STEP,)), outcome=outcome(Did.DONE), left_out=True), 11, "partial"),
        (fixed(plan=Plan(steps=(STEP,)), outcome=outcome(Did.DONE, Did.DROPPED)), 11, "partial"),
        (fixed(plan=Plan(steps=(STEP,)), outcome=outcome(Did.FAILED)), 11, "partial"),
        (fixed(plan=Plan(steps=(STEP,)), outcome=outcome(Did.RESTORED)), 11, "partial"),
        (fixed(plan=Plan(steps=(STEP,)), outcome=outcome(Did.DROPPED)), 12, "refused"),
        (fixed(plan=Plan(steps=(), held=(HELD,)), left_out=True), 12, "refused"),
    ],
)
def test_exit_code(made: Fixed, code: int, status: str) -> None:
    assert made.exit_code == code
    assert made.status == status
    assert as_text(made).endswith("\n")


@pytest.mark.parametrize(
    ("name", "host", "line"),
    [
        ("plan", INHERITED + STALE + ORPHAN + GONE, "fix"),
        ("on-request", GONE, "fix ovs_port_dormant"),
        ("one-code", INHERITED + STALE, "fix OVS_PORT_STALE"),
        ("nothing", HEALTHY, "fix"),
        ("refused", HUNG + STALE, "fix"),
        ("hostile", HOSTILE, "fix"),
    ],
)
def test_golden(cli: Cli, name: str, host: str, line: str) -> None:
    cli.show(host)
    said = cli(line)
    assert said.err == ""
    golden(f"fix-{name}.txt", f"{said.out}exit {said.code}\n")


def test_json(cli: Cli) -> None:
    cli.show(INHERITED)
    said = cli("fix --json")
    document = json.loads(said.out)
    assert said.code == 10
    assert document["status"] == "pending"
    (step,) = document["steps"]
    assert step["changes"] == [{"path": "Port.tag", "old": 200, "new": 100}]
    assert step["state"] == "planned"


def test_only_root_may_fix(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    cli.show(STALE)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    said = cli("fix")
    assert (said.code, said.out) == (12, "")
    assert said.err == "hostagent: refused: repairs need root (run it with sudo)\n"
    assert cli("undo x").code == 12


def test_a_wrong_code_is_a_usage_error(cli: Cli) -> None:
    said = cli("fix OVS_PORT_STAIL")
    assert said.code == 3
    assert "OVS_PORT_STAIL: nothing of that code can be repaired" in said.err


class FakeExecutor:
    def __init__(self) -> None:
        self.plans: list[Plan] = []
        self.error: Exception | None = None
        self.recovered: tuple[str, ...] = ()

    def recover(self, *, who: str) -> tuple[str, ...]:
        assert who == "hostagent fix"
        return self.recovered

    def apply(self, plan: Plan, *, who: str) -> Outcome:
        assert who == "hostagent fix"
        if self.error:
            raise self.error
        self.plans.append(plan)
        results = tuple(
            StepResult(id=f"r.{n}", kind=step.kind, object=step.object, state=Did.DONE)
            for n, step in enumerate(plan.steps, 1)
        )
        return Outcome(run="r", results=results)


@pytest.fixture
def executor(monkeypatch: pytest.MonkeyPatch) -> FakeExecutor:
    made = FakeExecutor()
    monkeypatch.setattr(fix, "Executor", lambda _settings, _look: made)
    return made


def test_apply_says_what_was_done_and_how_to_take_it_back(cli: Cli, executor: FakeExecutor) -> None:
    cli.show(STALE)
    said = cli("fix --apply")
    assert said.code == 0
    assert said.out.splitlines() == [
        "done      delete port br-int/vnet7",
        "",
        "1 of 1 steps done and verified. Take it back: hostagent undo r",
    ]
    assert len(executor.plans) == 1


def test_without_consent_nothing_risky_is_done(cli: Cli, executor: FakeExecutor) -> None:
    cli.show(GONE)
    said = cli("fix --apply OVS_PORT_DORMANT")
    assert said.code == 12
    assert "needs your consent" in said.out
    assert executor.plans == []
    cli.show(GONE + STALE)
    assert cli("fix --apply OVS_PORT_DORMANT OVS_PORT_STALE").code == 11
    assert [step.object for step in executor.plans[0].steps] == ["br-int/vnet7"]


def test_yes_is_consent_to_what_was_named_only(cli: Cli, executor: FakeExecutor) -> None:
    cli.show(GONE + STALE)
    assert cli("fix --apply --yes").code == 0
    assert [step.object for step in executor.plans.pop().steps] == ["br-int/vnet7"]
    assert cli("fix --apply --yes OVS_PORT_DORMANT").code == 0
    assert [step.object for step in executor.plans.pop().steps] == ["br-int/tap7"]


@pytest.mark.parametrize(("answer", "code"), [(True, 0), (False, 12)])
def test_a_terminal_is_asked(
    cli: Cli, executor: FakeExecutor, monkeypatch: pytest.MonkeyPatch, *, answer: bool, code: int
) -> None:
    monkeypatch.setattr(fix, "_at_terminal", lambda: True)
    monkeypatch.setattr("click.confirm", lambda _words, **_: answer)
    cli.show(GONE)
    said = cli("fix --apply OVS_PORT_DORMANT")
    assert said.code == code
    assert "delete port br-int/tap7" in said.err
    assert bool(executor.plans) is answer


def test_an_executor_that_refuses(cli: Cli, executor: FakeExecutor) -> None:
    executor.error = JournalError("can't write the journal: No space left on device")
    cli.show(STALE)
    said = cli("fix --apply")
    assert said.code == 12
    assert "Refused: can't write the journal: No space left on device" in said.out


def test_what_was_ended_of_a_dead_run_is_said(cli: Cli, executor: FakeExecutor) -> None:
    executor.recovered = ("run r0 of root had died: finished",)
    cli.show(HEALTHY)
    assert cli("fix").out == "Nothing to do.\n"  # without --apply nothing is touched
    assert cli("fix --apply").out.startswith("recovered: run r0 of root had died: finished\n")


def test_two_looks_must_agree(cli: Cli) -> None:
    cli.show(STALE, HEALTHY)
    said = cli("fix")
    assert (said.code, said.out) == (0, "Nothing to do.\n")
    assert cli.slept == [2.0]


def test_value_words() -> None:
    assert value_words(None) == "none"
    assert value_words(()) == "none"
    assert value_words((1, 2)) == "1,2"
    assert value_words({"b": "2", "a": "\x1b"}) == "a=\\x1b, b=2"
    assert value_words(0) == "0"
