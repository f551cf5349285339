"""The house's own rules, checked like any other behaviour: layers, types, style, sizes, pages."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import hostagent
from hostagent.health.report import SCHEMA
from tests.unit.house.pages import OPERATE, ROOT, pages

FOLDERS = {"hostagent", "units", "checks", "tests", "packaging", "docs"}
MOST_LINES = 250


def tracked() -> list[Path]:
    """Every file that git has or would take."""
    argv = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listed = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [ROOT / name for name in listed.split("\0") if name and (ROOT / name).exists()]


@pytest.mark.parametrize(
    "command",
    ["mypy", "ruff check --no-cache", "ruff format --check --no-cache", "lint-imports --no-cache"],
)
def test_linter(command: str) -> None:
    name, *arguments = command.split()
    program = Path(sys.executable).parent / name
    done = subprocess.run([program, *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_no_file_is_longer_than_a_reader_holds() -> None:
    long = {
        str(path.relative_to(ROOT)): count
        for path in tracked()
        if path.suffix == ".py" and (count := len(path.read_text().splitlines())) > MOST_LINES
    }
    assert long == {}


def test_top_level_folders_are_fixed() -> None:
    assert {path.relative_to(ROOT).parts[0] for path in tracked() if path.parent != ROOT} - {".ci"} <= FOLDERS


def test_no_exception_to_types_or_style_without_its_code_and_reason() -> None:
    bare = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in tracked()
        if path.suffix == ".py"
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if re.search(r"#\s*noqa(?!:)|#\s*type:\s*ignore(?!\[)", line)
    ]
    assert bare == []


def test_only_the_command_line_ends_the_process() -> None:
    found = [
        str(path.relative_to(ROOT))
        for folder in ("hostagent", "checks")
        for path in (ROOT / folder).rglob("*.py")
        if "cli" not in path.parts and re.search(r"\bsys\.exit\(|\bos\._exit\(", path.read_text())
    ]
    assert found == []


def test_generated_pages_are_what_the_source_gives() -> None:
    stale = [str(path) for path, page in pages().items() if not path.exists() or path.read_text() != page]
    assert stale == [], "run: python -m tests.unit.house.pages"
    assert {path.name for path in (OPERATE / "runbooks").iterdir()} == {
        path.name for path in pages() if path.parent.name == "runbooks"
    }


def test_schema_version_and_changelog_agree() -> None:
    schema = json.loads((ROOT / "docs/schema/check-v1.json").read_text())
    assert schema["properties"]["schema"]["const"] == schema["$id"] == SCHEMA
    changelog = (ROOT / "CHANGELOG.md").read_text()
    versions = re.findall(r"^## \[(.+?)\]", changelog, re.MULTILINE)
    assert versions[0] == "Unreleased" or versions[0] == hostagent.__version__
    assert hostagent.__version__ in versions or versions == ["Unreleased"]
    assert "version" in tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dynamic"]


def test_the_readme_names_files_and_commands_that_exist() -> None:
    readme = (ROOT / "README.md").read_text()
    for link in re.findall(r"\]\(([^)#:]+)\)", readme):
        assert (ROOT / link).exists(), link
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"\bmake ([a-z]+)", readme)) <= targets
