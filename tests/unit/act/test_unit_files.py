"""Drop-ins: written once, removed when no longer wished, nobody else's touched."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from hostagent.act import unit_files
from hostagent.config import Settings
from hostagent.decide.unit_dropins import Named, dropins
from hostagent.errors import RefusedError

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    settings = Settings()
    paths = replace(settings.paths, run_dir=str(tmp_path / "run"), stop_file=str(tmp_path / "stop"))
    return replace(settings, paths=paths)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(unit_files, "_reload", lambda: None)
    home = tmp_path / "system"
    home.mkdir(mode=0o755)
    return home


def test_twice_changes_nothing_the_second_time(settings: Settings, home: Path) -> None:
    other = home / "libvirtd.service.d" / "site.conf"
    other.parent.mkdir()
    other.write_text("[Unit]\n")
    wished = dropins(Named(vswitchd=("v.service",)))
    assert len(unit_files.write(wished, settings, home=home)) == len(wished)
    assert unit_files.write(wished, settings, home=home) == []
    assert {str(path.relative_to(home)) for path in home.glob("*.d/*") if path != other} == wished.keys()
    changed = unit_files.write(dropins(Named(vswitchd=("w.service",))), settings, home=home)
    assert f"removed {home}/v.service.d/hostagent-order.conf" in changed
    assert not (home / "v.service.d").exists()
    assert unit_files.write({}, settings, home=home)
    assert [path for path in home.rglob("*") if path.is_file()] == [other]


def test_the_stop_file_halts_it(settings: Settings, home: Path, tmp_path: Path) -> None:
    (tmp_path / "stop").touch()
    with pytest.raises(RefusedError):
        unit_files.write({"a.service.d/hostagent-order.conf": ""}, settings, home=home)
    assert list(home.iterdir()) == []
