"""hostagent check with an agent: its age, its formats, and nothing stale shown as fresh."""

from __future__ import annotations

import json
import re
import time
from contextlib import closing
from dataclasses import replace
from importlib import import_module
from typing import TYPE_CHECKING

import pytest
from prometheus_client.parser import text_string_to_metric_families

from hostagent.daemon.serve import Peer
from hostagent.export.document import Freshness, parse
from hostagent.export.metrics import families
from hostagent.health.api import State
from hostagent.model.plain import plain
from tests.unit.cli.agents import Agent
from tests.unit.cli.hosts import STALE
from tests.unit.cli.test_check import SCHEMA
from tests.unit.daemon import data
from tests.unit.daemon.data import FINE, FLOWS, QOS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.unit.cli.conftest import Cli


@pytest.fixture
def agent(tmp_path: Path) -> Iterator[Agent]:
    agent = Agent(tmp_path)
    with closing(agent.server):
        agent.tell(data.STALE, QOS, FINE, FLOWS)
        yield agent


def test_it_says_what_the_agent_saw_and_how_long_ago(cli: Cli, agent: Agent) -> None:
    assert agent.told
    said = cli("check")
    assert (said.code, said.err) == (2, "")
    assert said.out.splitlines() == [
        "CRIT node1: 1 crit, 1 warn, 1 ok, 1 skipped (looked 12 s ago)",
        "",
        "CRIT     OVS_PORT_STALE  2 stale ports",
        "         br-int/vnet7  of no guest",
        "         br-int/vnet8  of no guest",
        "",
        "WARN     OVS_QOS_ORPHAN  1 QoS row of nobody",
        "         0b5ab2d4  of no port",
        "",
        "Next: hostagent fix shows how these can be repaired, and changes nothing",
        "      hostagent explain OVS_PORT_STALE says what this means and what to look at",
    ]


def test_it_says_for_how_long(cli: Cli, agent: Agent) -> None:
    agent.tell(replace(data.STALE, since=time.time() - 3 * 3600))
    assert "OVS_PORT_STALE  2 stale ports, for 3 h\n" in cli("check").out


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("check", 2),
        ("check ovs_qos_orphan", 1),
        ("check --fail-on crit OVS_QOS_ORPHAN", 0),
        ("check LIBVIRT_UNREACHABLE", 0),
        ("check OVS_FLOW_ORPHAN", 3),
        ("check OVS_PORT_DORMANT", 3),  # an older agent that does not know it
        ("check OVS_PORT_STAIL", 3),
        ("check -q", 2),
        ("check -v", 2),
        ("check --json", 2),
        ("check --format jsonl", 2),
        ("check --format nagios", 2),
        ("check --format checkmk", 2),
        ("check --format prom", 2),
        ("check --watch --json", 3),
        ("check --watch --wait 1s", 3),
        ("check --wait 2w", 3),
    ],
)
def test_exit_code(cli: Cli, agent: Agent, line: str, code: int) -> None:
    assert agent.told
    assert cli(line).code == code


def test_json_has_the_age_of_each_check(cli: Cli, agent: Agent) -> None:
    assert agent.told
    document = json.loads(cli("check --json").out)
    import_module("jsonschema").Draft202012Validator(SCHEMA).validate(document)
    assert all(12 <= each["age_s"] < 30 for each in document["checks"])


def test_each_line_of_jsonl_is_a_check_of_the_schema(cli: Cli, agent: Agent) -> None:
    assert agent.told
    lines = [json.loads(line) for line in cli("check --format jsonl").out.splitlines()]
    document = json.loads(cli("check --json").out)
    assert [each["code"] for each in lines] == [each["code"] for each in document["checks"]]
    assert {(each["schema"], each["host"]) for each in lines} == {("hostagent.check/v1", "node1")}
    assert set(document["checks"][0]) < set(lines[0])


def test_nagios(cli: Cli, agent: Agent) -> None:
    assert agent.told
    first = cli("check --format nagios").out.splitlines()[0]
    words = (
        "CRITICAL - OVS_PORT_STALE: 2 stale ports | crit=1 unknown=0 warn=1 ok=1 skip=1 time=0.12s age=12s"
    )
    assert first == words


def test_checkmk(cli: Cli, agent: Agent) -> None:
    agent.tell(replace(data.STALE, summary="a|b\\n1 evil\n"), FLOWS)
    assert cli("check --format checkmk").out.splitlines() == [
        "2 hostagent - 1 crit, 1 skipped (looked 12 s ago)",
        (
            "2 hostagent_OVS_PORT_STALE objects=2 a|b/n1 evil\\x0a"
            "\\nbr-int/vnet7: of no guest\\nbr-int/vnet8: of no guest"
        ),
        "0 hostagent_OVS_FLOW_ORPHAN objects=0 skipped: read on request only",
    ]


def test_prom_names_and_values_are_the_exporters(cli: Cli, agent: Agent) -> None:
    agent.controls.answer(MUTE, ROOT)
    said = {each.name: each for each in text_string_to_metric_families(cli("check --format prom").out)}
    told = agent.controls.answer({"ask": "published"}, ROOT)["published"]
    exported = {
        each.name: each
        for each in families(parse(json.dumps(plain(told)).encode()), Freshness(alive=True, look=True))
    }
    assert {"hostagent_status", "hostagent_check_state", "hostagent_check_muted"} < set(said)
    for name, family in said.items():
        assert family.documentation == exported[name].documentation or name.endswith("look_timestamp_seconds")
        samples = {(*each.labels.items(), each.value) for each in family.samples}
        assert samples == {(*each.labels.items(), each.value) for each in exported[name].samples}


ROOT = Peer(pid=1, uid=0, gid=0)
MUTE = {"ask": "mute", "code": "OVS_PORT_STALE", "seconds": 60, "reason": "known"}


@pytest.mark.parametrize("form", ["text", "text -q", "json", "nagios", "checkmk", "prom", "jsonl"])
def test_stale_is_never_shown_as_fresh(cli: Cli, agent: Agent, form: str) -> None:
    for results in ((FINE,), (data.STALE, FINE), (FLOWS,)):
        agent.tell(*results, age=400)
        said = cli(f"check --format {form}")
        assert said.code == 3
        assert not re.search(r"\bOK\b|\bCRIT\b|CRITICAL|\"(ok|crit)\"|_state\{.*\} [012]\b", said.out)
    agent.tell(data.STALE, FINE, age=400)
    assert cli("check").out.splitlines() == [
        "UNKNOWN node1: 2 unknown (looked 7 min ago)",
        "",
        "UNKNOWN  stale: the agent looked 7 min ago, more than 3 min (systemctl status hostagent)",
        "         LIBVIRT_UNREACHABLE",
        "",
        "UNKNOWN  OVS_PORT_STALE  stale, it was crit: 2 stale ports",
        "         br-int/vnet7  of no guest",
        "         br-int/vnet8  of no guest",
    ]


def test_a_look_from_the_future_is_not_fresh(cli: Cli, agent: Agent) -> None:
    agent.tell(FINE, age=-3600)
    said = cli("check")
    assert said.code == 3
    assert "the clock was set back" in said.out


def test_a_muted_check_does_not_alert_with_the_agent_or_without(cli: Cli, agent: Agent) -> None:
    agent.tell(data.STALE, FINE)
    agent.controls.answer(MUTE, ROOT)
    said = cli("check")
    assert said.code == 0
    assert said.out.splitlines() == [
        "OK node1: 1 ok, 1 muted (looked 12 s ago)",
        "",
        "MUTED    OVS_PORT_STALE  crit: 2 stale ports",
        "         br-int/vnet7  of no guest",
        "         br-int/vnet8  of no guest",
    ]
    assert cli("check --format nagios").out.startswith("OK - 1 ok, 1 muted (looked 12 s ago) | crit=0 ")
    assert "\n0 hostagent_OVS_PORT_STALE objects=2 muted, crit: 2" in cli("check --format checkmk").out
    cli.show(STALE)
    assert cli("check --live OVS_PORT_STALE").code == 0
    assert len(agent.controls.mutes()) == 1


def test_a_torn_file_of_mutes_does_not_blind_a_live_check(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "agent.json").write_text("{")
    cli.show(STALE)
    said = cli("check --live OVS_PORT_STALE")
    assert said.code == 2
    assert said.err.startswith(f"hostagent: no mute is applied: {tmp_path}/state/agent.json can't be read: ")
    assert said.err.count("\n") == 1


def test_full_asks_for_a_new_look_and_says_that_it_has_no_flows(cli: Cli, agent: Agent) -> None:
    agent.after_look = (FINE,)
    said = cli("check --full")
    assert (said.code, agent.woken) == (0, 1)
    assert said.err == "hostagent: the agent reads no OpenFlow rules; hostagent check --live --full does\n"
    assert "(looked 0 s ago)" in said.out


def test_an_answer_that_is_not_understood_is_one_line(cli: Cli, agent: Agent) -> None:
    assert agent.told is not None
    agent.told = replace(agent.told, fresh_seconds="long")  # type: ignore[arg-type]  # as another version may
    said = cli("check")
    assert (said.code, said.out) == (3, "")
    assert said.err.startswith("hostagent: the agent's answer can't be understood: Published.fresh_seconds")
    assert said.err.count("\n") == 1


def test_a_state_is_what_the_schema_allows() -> None:
    assert {str(each) for each in State} == set(SCHEMA["$defs"]["check"]["properties"]["state"]["enum"])
