"""hostagent check: exit codes, two looks, formats."""

import json
import os
import re
from importlib import import_module
from pathlib import Path

import pytest

from tests.unit.cli.conftest import Cli
from tests.unit.cli.hosts import GONE, HEALTHY, HOSTILE, HUNG, INHERITED, NOTHING, ORPHAN, STALE

GOLDEN = Path(__file__).parent / "golden"
SCHEMA = json.loads((Path(__file__).parents[3] / "docs/schema/check-v1.json").read_text())

HOSTS = {
    "healthy": HEALTHY,
    "stale-inherited-orphan": INHERITED + STALE + ORPHAN + GONE,
    "hung": HUNG + STALE,
    "nothing": NOTHING,
    "hostile": HOSTILE,
}


def golden(name: str, text: str) -> None:
    """Compare with the file; UPDATE_GOLDEN=1 writes it, for a person to read the difference."""
    if os.environ.get("UPDATE_GOLDEN"):
        (GOLDEN / name).write_text(text)
    assert text == (GOLDEN / name).read_text()


@pytest.mark.parametrize("name", HOSTS)
@pytest.mark.parametrize("form", ["text", "text -v", "text -q", "nagios"])
def test_golden(cli: Cli, name: str, form: str) -> None:
    cli.show(HOSTS[name])
    said = cli(f"check --live --format {form}")
    assert said.err == ""
    out = re.sub(r"time=[0-9.]+s", "time=0.00s", re.sub(r"in [0-9.]+ s\)", "in 0.0 s)", said.out))
    golden(f"{name}-{form.replace('text -', '')}.txt", f"{out}exit {said.code}\n")


def test_golden_json(cli: Cli) -> None:
    cli.show(HOSTS["stale-inherited-orphan"])
    said = cli("check --live --json OVS_PORT_STALE OVS_PORT_DORMANT OVS_FLOW_ORPHAN libvirt")
    golden("check.json", re.sub(r'"duration_s": [0-9.e-]+', '"duration_s": 0.0', said.out))


@pytest.mark.parametrize("name", HOSTS)
def test_json_is_as_published(cli: Cli, name: str) -> None:
    cli.show(HOSTS[name])
    document = json.loads(cli("check --live --json").out)
    import_module("jsonschema").Draft202012Validator(SCHEMA).validate(document)  # it ships no types
    assert list(document) == list(SCHEMA["properties"])
    for each in document["checks"]:
        assert list(each) == list(SCHEMA["$defs"]["check"]["properties"])
        for found in each["objects"]:
            assert list(found) == ["id", "detail"]


@pytest.mark.parametrize("form", ["text", "text -v", "nagios", "json"])
def test_no_name_reaches_the_terminal_raw(cli: Cli, form: str) -> None:
    cli.show(HOSTILE)
    out = cli(f"check --live --format {form}").out
    assert all(char == "\n" or char.isprintable() for char in out)
    assert "evil" in out
    assert not re.search(r"^OK all is well", out, re.MULTILINE)
    if form == "nagios":
        assert out.count("|") == 1


@pytest.mark.parametrize(
    ("line", "hosts", "code"),
    [
        ("check --live", [HEALTHY], 0),
        ("check --live", [ORPHAN], 1),
        ("check --live --fail-on crit", [ORPHAN], 0),
        ("check --live --fail-on crit", [STALE], 2),
        ("check --live --fail-on crit", [NOTHING], 3),
        ("check --live", [STALE], 2),
        ("check --live ovs_qos_orphan", [STALE], 0),
        ("check --live libvirt", [STALE + ORPHAN], 0),
        ("check --live", [HUNG], 2),
        ("check --live OVS_PORT_STALE", [HUNG], 3),
        ("check --live", [NOTHING], 3),
        ("check --live OVS_FLOW_ORPHAN", [HEALTHY], 3),  # it was asked for and not read
        ("check", [HEALTHY], 3),
        ("check --live OVS_PORT_STAIL", [HEALTHY], 3),
        ("check --nonsense", [HEALTHY], 3),
        ("check --live --timeout 5x", [HEALTHY], 3),
        ("check --live --timeout 0", [HEALTHY], 3),
        ("check --live --format xml", [HEALTHY], 3),
        ("--config /nonexistent check --live", [HEALTHY], 3),
        ("nonsense", [HEALTHY], 3),
    ],
)
def test_exit_code(cli: Cli, line: str, hosts: list[str], code: int) -> None:
    cli.show(*hosts)
    said = cli(line)
    assert said.code == code
    if said.out == "":
        assert said.err.startswith("hostagent: ")
        assert said.err.count("\n") == 1


def test_a_clean_look_answers_at_once(cli: Cli) -> None:
    gatherer = cli.show(HEALTHY)
    cli("check --live")
    assert len(gatherer.asked) == 1
    assert cli.slept == []


def test_what_only_one_look_shows_is_not_reported(cli: Cli) -> None:
    gatherer = cli.show(STALE, HEALTHY)
    assert cli("check --live").code == 0
    assert len(gatherer.asked) == 2
    assert cli.slept == [2.0]


def test_the_second_looks_state_counts_for_the_rest(cli: Cli) -> None:
    cli.show(STALE, HUNG)
    said = cli("check --live --json")
    states = {each["code"]: each["state"] for each in json.loads(said.out)["checks"]}
    assert states["LIBVIRT_UNRESPONSIVE"] == "crit"
    assert states["OVS_PORT_STALE"] == "unknown"


def test_no_second_look_for_a_code_that_nobody_asked_for(cli: Cli) -> None:
    gatherer = cli.show(STALE)
    assert cli("check --live OVS_QOS_ORPHAN libvirt").code == 0
    assert len(gatherer.asked) == 1


def test_without_time_for_a_second_look_a_suspicion_is_unknown(cli: Cli) -> None:
    gatherer = cli.show(STALE)
    said = cli("check --live --timeout 1s OVS_PORT_STALE")
    assert said.code == 3
    assert "no time was left to look again after 2 s" in said.out
    assert len(gatherer.asked) == 1


def test_both_looks_fit_into_the_time_out(cli: Cli) -> None:
    gatherer = cli.show(STALE)
    cli("check --live --timeout 10s")
    first, second = (each["timeout_seconds"] for each in gatherer.asked)
    assert isinstance(first, float)
    assert isinstance(second, float)
    assert 3.5 < first < 3.9
    assert second < 10 - 2  # of the whole less the grace: sleeping is faked here


def test_flows_are_read_on_request_only(cli: Cli) -> None:
    gatherer = cli.show(HEALTHY)
    for line in ("check --live", "check --live --full", "check --live ovs_flow_orphan"):
        cli(line)
    assert [each["flows"] for each in gatherer.asked] == [False, True, True]


def test_many_objects_are_cut_and_full_prints_all(cli: Cli) -> None:
    ports = "".join(STALE.replace("vnet7", f"vnet{n}") for n in range(15))
    cli.show(ports)
    assert "and 5 more (--full prints all)" in cli("check --live").out
    assert "br-int/vnet14" in cli("check --live --full").out
    assert len(json.loads(cli("check --live OVS_PORT_STALE --json").out)["checks"][0]["objects"]) == 15


def test_nagios_says_a_failure_on_stdout(cli: Cli) -> None:
    for line in (
        "check --format nagios",
        "check --format=nagios --nonsense",
        "check --live X --format nagios",
    ):
        said = cli(line)
        assert said.code == 3
        assert said.out.startswith("UNKNOWN - ")
        assert said.err == ""


def test_a_refused_site_check_makes_the_whole_unknown(cli: Cli, tmp_path: Path) -> None:
    folder = tmp_path / "checks.d"
    folder.mkdir(mode=0o755)
    (folder / "site_x.py").write_text("CHECK = 1")
    (folder / "site_x.py").chmod(0o666)
    cli.show(HEALTHY)
    said = cli("check --live")
    assert said.code == 3
    assert "others than root may write it" in said.out
    assert cli("check --live OVS_PORT_STALE").code == 0
