"""What the removal of the package does for held and adopted guests, with programs that only note it."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.unit.house.pages import ROOT

if TYPE_CHECKING:
    from pathlib import Path

PRERM = ROOT / "packaging/deb/debian/hostagent.prerm"
RELEASE = "/usr/libexec/hostagent/hostagent-release"


def asked(tmp_path: Path, action: str, code: int) -> list[str]:
    """What was run, when all of it ends with ``code``."""
    for name in ("deb-systemd-invoke", "timeout", "hostagent"):
        (tmp_path / name).write_text(f'#!/bin/sh\necho "{name} $*" >>{tmp_path}/asked\nexit {code}\n')
        (tmp_path / name).chmod(0o755)
    (tmp_path / "asked").touch()
    text = PRERM.read_text().replace("/run/systemd/system", str(tmp_path))
    (tmp_path / "prerm").write_text(text)
    environment = {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    subprocess.run(["/bin/sh", tmp_path / "prerm", action], env=environment, check=True)
    return (tmp_path / "asked").read_text().splitlines()


@pytest.mark.parametrize("code", [0, 1])
def test_a_removal_leaves_nobody_held_and_never_fails(tmp_path: Path, code: int) -> None:
    assert asked(tmp_path, "remove", code) == [
        "deb-systemd-invoke stop hostagent.service",
        "deb-systemd-invoke stop hostagent-release.service",
        f"timeout 300 {RELEASE} --now",
        "timeout 60 hostagent boot release --all",
    ]


@pytest.mark.parametrize("action", ["upgrade", "deconfigure", "failed-upgrade"])
def test_an_upgrade_touches_no_guest(tmp_path: Path, action: str) -> None:
    assert asked(tmp_path, action, 0) == []
