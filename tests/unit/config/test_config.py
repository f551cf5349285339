"""Settings: the defaults, the overrides, and every fault at once."""

from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hostagent.config import Action, CodePolicy, Looks, Settings, load, parse, tables
from hostagent.errors import ConfigError

KNOWN = "sources, looks, repair, agent, policy, boot, export, amqp, memory, ksm, dhcp, paths"


def problems(raw: dict[str, Any]) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        parse(raw, "f")
    return list(caught.value.problems)


def test_missing_default_file_means_the_defaults(tmp_path: Path) -> None:
    assert load(tmp_path / "none.toml", required=False) == Settings()
    with pytest.raises(ConfigError, match="no such file"):
        load(tmp_path / "none.toml")


def test_override(tmp_path: Path) -> None:
    file = tmp_path / "h.toml"
    file.write_text('[looks]\ntimeout_seconds = 5\n[sources]\nlibvirt_uri = ""\n')
    loaded = load(file)
    assert loaded.looks == Looks(timeout_seconds=5.0)
    assert isinstance(loaded.looks.timeout_seconds, float)
    assert loaded.sources.libvirt_uri == ""
    assert loaded.repair == Settings().repair


def test_every_fault_at_once_each_with_file_and_key() -> None:
    raw = {
        "looks": {"timeout_second": 5, "grace_seconds": "2"},
        "repair": {"max_steps": 1.5, "max_live_share": 2, "min_live_ports": True},
        "paths": {"run_dir": "run"},
        "sources": "x",
        "mutes": {},
    }
    assert problems(raw) == [
        "f:looks.timeout_second: unknown key (did you mean timeout_seconds?)",
        "f:looks.grace_seconds: must be a number, not '2'",
        "f:repair.max_steps: must be a whole number, not 1.5",
        "f:repair.max_live_share: must be from 0 to 1, not 2",
        "f:repair.min_live_ports: must be a whole number, not True",
        "f:paths.run_dir: must be an absolute path, not 'run'",
        "f:sources: must be a table, [sources]",
        f"f:mutes: unknown table (known: {KNOWN})",
    ]


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -1, 0, 601])
def test_out_of_range(value: float) -> None:
    assert problems({"looks": {"timeout_seconds": value}})[0].startswith(
        "f:looks.timeout_seconds: must be from"
    )


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"[looks", "is not TOML"), (b"\xff", "is not UTF-8 at byte 0"), (b"looks = 1", "must be a table")],
)
def test_a_file_that_is_no_settings_file(tmp_path: Path, content: bytes, words: str) -> None:
    file = tmp_path / "h.toml"
    file.write_bytes(content)
    with pytest.raises(ConfigError, match=words):
        load(file)


def test_a_directory_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="can't be read"):
        load(tmp_path)


scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9)
keys = st.sampled_from([f.name for record in tables().values() for f in fields(record)]) | st.text(max_size=5)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(st.sampled_from([*tables(), "x"]), scalars | st.dictionaries(keys, scalars)))
def test_whatever_the_file_says_it_is_settings_or_a_list_of_problems(raw: dict[str, Any]) -> None:
    try:
        found: Settings | ConfigError = parse(raw, "f")
    except ConfigError as error:
        found = error
    assert isinstance(found, Settings) or all(each.startswith("f:") for each in found.problems)


def test_every_key_has_words() -> None:
    for record in tables().values():
        for each in fields(record):
            assert each.metadata["about"]


def test_a_policy_by_code_and_owner_and_its_faults() -> None:
    loaded = parse({"policy": {"OVS_PORT_STALE": {"libvirt_named": "repair", "grace_seconds": 5}}}, "f")
    stale, other = loaded.policy.of("OVS_PORT_STALE"), loaded.policy.of("OVS_PORT_MISSING")
    assert (stale, other) == (CodePolicy(libvirt_named=Action.REPAIR, grace_seconds=5.0), CodePolicy())
    assert loaded.policy.of("OVS_TAP_ORPHAN") is None
    assert problems(
        {"policy": {"OVS_PORT_STALE": {"libvirt": "fix"}, "OVS_PORT_STALES": {}, "OVS_TAP_DOWN": 1}}
    ) == [
        'f:policy.OVS_PORT_STALE.libvirt: must be "repair" or "report", not \'fix\'',
        "f:policy.OVS_PORT_STALES: unknown table (did you mean OVS_PORT_STALE?)",
        "f:policy.OVS_TAP_DOWN: must be a table, [policy.OVS_TAP_DOWN]",
    ]


def test_a_list_and_its_faults() -> None:
    assert parse({"amqp": {"ports": [1, 2]}}, "f").amqp.ports == (1, 2)
    assert parse({"export": {"tls_key": ""}}, "f").export.tls_key == ""
    assert problems({"amqp": {"ports": 5672, "processes": ["nova", 1]}, "export": {"tls_key": "key"}}) == [
        "f:amqp.ports: must be a list, not 5672",
        "f:amqp.processes: has 1: must be a string, not 1",
        "f:export.tls_key: must be an absolute path, not 'key'",
    ]
    assert problems({"amqp": {"ports": [0]}}) == ["f:amqp.ports: has 0: must be from 1 to 65535, not 0"]
