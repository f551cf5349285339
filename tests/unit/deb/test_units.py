"""What becomes of units/ in the package: where each file goes, and what debhelper is told of it."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.unit.house.pages import ROOT

if TYPE_CHECKING:
    from pathlib import Path

HOW = ROOT / "packaging/deb/debian"
STUB = '#!/bin/sh\necho "$*" >>asked\n'
BOOT = "--no-start --no-restart-after-upgrade --no-stop-on-upgrade "
ONESHOT, DAEMON, INSTALL = "[Service]\nType=oneshot\n", "[Service]\nType=notify\n", "[Install]\nWantedBy=x\n"


def packaged(tree: Path, files: dict[str, str]) -> tuple[list[str], list[str], str]:
    """The installed files, debhelper's orders, and the snippet for the removal."""
    for name, text in files.items():
        (tree / "units" / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / "units" / name).write_text(text)
    (tree / "debian").mkdir()
    (tree / "bin").mkdir()
    (tree / "bin/dh_installsystemd").write_text(STUB)
    (tree / "bin/dh_installsystemd").chmod(0o755)
    (tree / "asked").write_text("")
    environment = {"PATH": f"{tree}/bin:{os.environ['PATH']}"}
    orders: list[list[str | Path]] = [[HOW / "install-units", "units", "root"], [HOW / "start-units", "root"]]
    for argv in orders:
        subprocess.run(argv, cwd=tree, env=environment, check=True)
    found = sorted(str(path.relative_to(tree / "root")) for path in tree.glob("root/**/*") if path.is_file())
    snippet = tree / "debian/hostagent.prerm.debhelper"
    return found, (tree / "asked").read_text().splitlines(), snippet.read_text() if snippet.exists() else ""


def test_each_kind_of_file_has_its_place(tmp_path: Path) -> None:
    names = [
        "a.service",
        "b.socket",
        "c.timer",
        "d.target",
        "libvirtd.service.d/x.conf",
        "90-a.preset",
        "README",
    ]
    found, asked, _ = packaged(tmp_path, dict.fromkeys(names, "[Unit]\n"))
    system = "lib/systemd/system"
    places = [f"{system}/{name}" for name in names[:5]] + ["lib/systemd/system-preset/90-a.preset"]
    assert found == sorted(places)
    assert asked == [f"--no-enable {name}" for name in names[:4]]


@pytest.mark.parametrize(
    ("unit", "preset", "order"),
    [
        (DAEMON + INSTALL, "", "u.service"),
        (DAEMON, "", "--no-enable u.service"),
        (DAEMON + INSTALL, "disable u.service\n", "--no-enable u.service"),
        (DAEMON + INSTALL, "enable u.service\ndisable v.service\n", "u.service"),
        (ONESHOT + INSTALL, "", f"{BOOT}u.service"),
        (ONESHOT, "", f"--no-enable {BOOT}u.service"),
    ],
)
def test_enabled_unless_a_preset_says_no_and_a_oneshot_never_started(
    tmp_path: Path, unit: str, preset: str, order: str
) -> None:
    _, asked, snippet = packaged(tmp_path, {"u.service": unit, "9.preset": preset})
    assert asked == [order]
    assert ("deb-systemd-invoke stop u.service" in snippet) == ("oneshot" in unit)


def test_without_units_there_is_nothing_to_do(tmp_path: Path) -> None:
    assert packaged(tmp_path, {}) == ([], [], "")
