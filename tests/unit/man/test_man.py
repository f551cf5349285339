"""What the package gets from the source: pages, the settings file, completion."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import fields
from typing import TYPE_CHECKING

import pytest

from docs.man import checks, commands, roff, settings
from hostagent.config import Settings, load, tables
from hostagent.health.loader import load_checks
from tests.unit.house.pages import ROOT

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("comments", ["as shipped", "every key set"])
def test_the_shipped_settings_are_the_defaults(tmp_path: Path, comments: str) -> None:
    text = settings.default_file()
    if comments == "every key set":
        text = re.sub(r"(?m)^#(\w+ = )", r"\1", text)
    file = tmp_path / "hostagent.toml"
    file.write_text(text)
    assert load(file) == Settings()


def test_the_shipped_settings_name_every_key_with_its_words() -> None:
    text = settings.default_file()
    words = " ".join(text.replace("\n# ", " ").split())
    for name, record in tables().items():
        section = text.partition(f"\n[{name}]\n")[2].partition("\n[")[0]
        for each in fields(record):
            mark = "" if each.metadata["stated"] else "#"
            assert re.search(rf"(?m)^{mark}{each.name} = ", section)
            assert each.metadata["about"] in words


def test_every_command_and_every_code_has_its_place() -> None:
    page = commands.page()
    for name in (
        "boot status",
        "check",
        "checks list",
        "config show",
        "explain",
        "fix",
        "history",
        "ports show",
        "undo",
    ):
        assert f'.SS "hostagent {name}"\n' in page
    assert "\\-\\-apply" in page
    assert set(re.findall(r'^\.SH "([A-Z]+_[A-Z_]+)"', checks.page(), re.MULTILINE)) == set(
        load_checks("/nonexistent").by_code
    )


@pytest.mark.parametrize(
    ("words", "roffed"),
    [
        (".so /etc/passwd", "\\&.so /etc/passwd"),
        ("'br", "\\(aqbr"),
        ("a\\b --x", "a\\eb \\-\\-x"),
        ("`virsh list`", "\\fBvirsh list\\fR"),
        ('say "x"', "say \\(dqx\\(dq"),
    ],
)
def test_words_are_never_requests(words: str, roffed: str) -> None:
    assert roff.escaped(words) == roffed


def test_the_folder_has_what_the_package_installs(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "docs.man", tmp_path], cwd=ROOT, check=True)
    made = {path.name for path in tmp_path.iterdir()}
    assert made == {
        "hostagent.1",
        "hostagent-checks.7",
        "hostagent.toml.5",
        "hostagent.toml",
        "hostagent.bash",
    }
    completion = tmp_path / "hostagent.bash"
    subprocess.run(["bash", "-n", completion], check=True)
