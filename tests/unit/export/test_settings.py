"""The process's settings and faults in them, and the file for a collector."""

from __future__ import annotations

import socket
import subprocess
import time
from typing import TYPE_CHECKING

import pytest

from hostagent import __version__
from tests.lab import soon
from tests.unit.export.data import full, written
from tests.unit.export.running import MAIN, free_port

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.unit.export.running import Running


def test_settings_are_taken_up_at_sighup_and_faults_leave_what_held(start: Callable[[], Running]) -> None:
    exporter, old = start(), 0
    old, new = exporter.port, free_port()
    exporter.settle(port=new)
    exporter.reload("settings taken up again")
    assert soon(30, lambda: f"TCP port {new}" in exporter.log.read_text())
    assert exporter.ask("/-/healthy")[0] == 200
    exporter.settle(adress="::")
    exporter.reload("unknown key (did you mean address?); the settings read before still hold")
    assert "exporter_config_problems 1.0" in exporter.ask("/metrics")[1]
    with socket.create_server(("127.0.0.1", old)):
        exporter.settle(port=old)
        exporter.reload("Address already in use")
        exporter.port = new
        assert soon(30, lambda: exporter.log.read_text().count(f"TCP port {new}") == 2)
        assert "exporter_config_problems 1.0" in exporter.ask("/metrics")[1]
    exporter.settle(port=new)
    exporter.reload("settings taken up again")
    assert "exporter_config_problems 0.0" in exporter.ask("/metrics")[1]


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*MAIN, *arguments], capture_output=True, text=True, timeout=30, check=False)


@pytest.mark.parametrize(
    ("toml", "code", "said"),
    [
        ("[export]\nport = 0\n", 78, ":export.port: must be from 1 to 65535, not 0\n"),
        ("[export]\ntls_key = '/k'\n", 78, "export.tls_key: needs export.tls_certificate"),
        ("[export]\ntls_certificate = '/none'\n", 78, "export.tls_certificate: /none: No such file"),
        (
            "[export]\ntls_certificate = '/etc/passwd'\n",
            78,
            "export.tls_certificate: /etc/passwd can't be used",
        ),
        ("[export]\naddress = '192.0.2.1'\n", 1, "can't listen on 192.0.2.1, TCP port 9478: "),
        ("[export]\naddress = 'no.such.invalid'\n", 1, "can't listen on no.such.invalid, TCP port 9478: "),
    ],
)
def test_a_fault_at_the_start_is_one_line(tmp_path: Path, toml: str, code: int, said: str) -> None:
    file = tmp_path / "hostagent.toml"
    file.write_text(toml)
    done = run("--config", str(file))
    assert done.returncode == code
    assert said in done.stderr
    assert done.stderr.count("\n") == 1


def test_textfile(tmp_path: Path) -> None:
    config, file = tmp_path / "hostagent.toml", tmp_path / "hostagent.prom"
    config.write_text(f'[paths]\nrun_dir = "{tmp_path}"\n')
    arguments = ["--config", str(config), "--textfile", str(file)]
    assert run(*arguments).returncode == 0
    assert file.read_text().endswith("hostagent_agent_up 0.0\n")
    written(tmp_path / "published.json", full(time.time()))
    assert run(*arguments).stderr == ""
    assert 'hostagent_check_state{code="OVS_PORT_STALE"} 2.0' in file.read_text()
    assert "hostagent_exporter" not in file.read_text()
    assert f"{file.stat().st_mode & 0o777:o}" == "644"
    assert {each.name for each in tmp_path.iterdir()} == {config.name, file.name, "published.json"}
    done = run(*arguments[:3], "/nonexistent/x.prom")
    assert (done.returncode, done.stderr) == (
        1,
        "/nonexistent/x.prom: can't be written: No such file or directory\n",
    )


def test_version() -> None:
    assert run("--version").stdout == f"hostagent {__version__}\n"
