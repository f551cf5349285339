"""What becomes of pyproject's [project.scripts] in the package: processes for units, and entry points."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from configparser import ConfigParser
from typing import TYPE_CHECKING

from tests.unit.house.pages import ROOT

if TYPE_CHECKING:
    from pathlib import Path

HOW = ROOT / "packaging/deb/debian"
SCRIPTS: dict[str, str] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]


def test_each_process_is_where_its_unit_looks(tmp_path: Path) -> None:
    subprocess.run([HOW / "install-processes", tmp_path], cwd=ROOT, check=True)
    made = {path.name: path for path in (tmp_path / "usr/libexec/hostagent").iterdir()}
    assert set(made) == set(SCRIPTS) - {"hostagent"}
    for name, path in made.items():
        assert path.stat().st_mode & 0o777 == 0o755
        module, _, function = SCRIPTS[name].partition(":")
        assert path.read_text().splitlines()[1] == f"from {module} import {function}"
    units = "".join(path.read_text() for path in (ROOT / "units").glob("*.service"))
    assert all(f"ExecStart=/usr/libexec/hostagent/{name}" in units for name in made)


def test_the_entry_points_are_pyprojects(tmp_path: Path) -> None:
    subprocess.run([HOW / "metadata", "1.2.3", tmp_path], cwd=ROOT, check=True)
    parser = ConfigParser()
    parser.read(tmp_path / "entry_points.txt")
    assert dict(parser["console_scripts"]) == SCRIPTS


def test_a_process_says_what_version_it_is(tmp_path: Path) -> None:
    subprocess.run([HOW / "install-processes", tmp_path], cwd=ROOT, check=True)
    script = tmp_path / "usr/libexec/hostagent/hostagent-exporter"
    done = subprocess.run(
        [sys.executable, script, "--version"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout[:10]) == (0, "hostagent ")
