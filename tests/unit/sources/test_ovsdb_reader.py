"""The database out of reach: each way of not answering is told from the others."""

import time
from pathlib import Path
from typing import Any

import pytest

from hostagent.model.host import Trouble
from hostagent.sources.deadline import ReadError
from hostagent.sources.ovsdb import OvsdbReader, read_ovs
from tests.unit.sources.fake_server import FakeServer, reply


def trouble(path: Path, *, seconds: float = 30.0, root: str = "/") -> ReadError:
    with pytest.raises(ReadError) as raised:
        OvsdbReader(str(path), root=root).read(time.monotonic() + seconds)
    return raised.value


def test_not_installed(tmp_path: Path) -> None:
    assert trouble(tmp_path / "db.sock", root=str(tmp_path)).trouble is Trouble.ABSENT


def test_stopped(tmp_path: Path) -> None:
    (tmp_path / "usr/sbin").mkdir(parents=True)
    (tmp_path / "usr/sbin/ovsdb-server").touch()
    path = tmp_path / "db.sock"
    error = trouble(path, root=str(tmp_path))
    assert error.trouble is Trouble.UNREACHABLE
    assert error.reason == (
        f"OVSDB unreachable at {path}: no such file or directory "
        "(is ovsdb-server running? systemctl status ovsdb-server)"
    )


def test_crashed_and_left_its_socket(tmp_path: Path) -> None:
    path = tmp_path / "db.sock"
    with FakeServer(path, lambda _: None):
        pass
    error = trouble(path)
    assert error.trouble is Trouble.UNREACHABLE
    assert f"OVSDB unreachable at {path}: connection refused" in error.reason


def test_silent(tmp_path: Path) -> None:
    began = time.monotonic()
    with FakeServer(tmp_path / "db.sock", lambda _: None):
        error = trouble(tmp_path / "db.sock", seconds=0.2)
    assert error.trouble is Trouble.UNRESPONSIVE
    assert "no answer to get_schema (is ovsdb-server hung?" in error.reason
    assert time.monotonic() - began < 10


def test_schema_but_no_content(tmp_path: Path) -> None:
    """As a server that hangs between the two connections."""
    pytest.importorskip("ovs.db.idl")
    kind = {"type": "string"}
    number = {"type": "integer"}
    many = {"type": {"key": "string", "min": 0, "max": "unlimited"}}
    words = {"type": {"key": "string", "value": "string", "min": 0, "max": "unlimited"}}
    columns = {
        "Open_vSwitch": {"bridges": many, "other_config": words, "cur_cfg": number, "next_cfg": number},
        "Bridge": {"name": kind, "ports": many, "datapath_type": kind, "external_ids": words},
        "Port": dict.fromkeys(
            ("name", "interfaces", "tag", "trunks", "vlan_mode", "qos", "external_ids", "other_config"), many
        ),
        "Interface": dict.fromkeys(
            (
                "name",
                "type",
                "ofport",
                "external_ids",
                "ingress_policing_rate",
                "ingress_policing_burst",
            ),
            many,
        ),
    }
    tables = {name: {"columns": each} for name, each in columns.items()}
    schema = {"name": "Open_vSwitch", "version": "8.3.1", "tables": tables}

    def answer(request: dict[str, Any]) -> list[bytes] | None:
        return [reply(request, schema)] if request["params"] == ["Open_vSwitch"] else None

    with FakeServer(tmp_path / "db.sock", answer):
        error = trouble(tmp_path / "db.sock", seconds=2.0)
    assert error.trouble is Trouble.UNRESPONSIVE
    assert "its content did not arrive in time" in error.reason


@pytest.mark.parametrize(
    ("result", "error", "words"),
    [
        ("no", None, "its schema can't be understood"),
        ({"version": "1.2.3"}, None, r"its schema \(version 1\.2\.3\) has no tables"),
        ({"version": "7.1.0", "tables": {}}, None, r"\(version 7\.1\.0\) has no table Open_vSwitch"),
        (None, "unknown database", "get_schema: unknown database"),
    ],
)
def test_another_database(tmp_path: Path, result: object, error: object, words: str) -> None:
    with (
        FakeServer(tmp_path / "db.sock", lambda request: [reply(request, result, error)]),
        pytest.raises(ReadError, match=words) as raised,
    ):
        read_ovs(str(tmp_path / "db.sock"), seconds=30)
    assert raised.value.trouble is Trouble.INVALID


def test_hangs_up(tmp_path: Path) -> None:
    with FakeServer(tmp_path / "db.sock", lambda _: []):
        assert trouble(tmp_path / "db.sock").trouble is Trouble.UNREACHABLE
