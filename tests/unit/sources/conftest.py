"""A Gatherer of a host that has nothing, and a libvirt of the test's own."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from hostagent.config import Settings, Sources
from hostagent.model.ports import Links
from hostagent.sources import gather
from hostagent.sources.gather import Gatherer
from tests.unit.sources.fake_libvirt import Dom, fake_libvirt

THIN = Links(by_name={})


def settings(tmp_path: Path) -> Settings:
    proc = tmp_path / "proc"
    proc.mkdir(exist_ok=True)
    return Settings(
        sources=Sources(
            libvirt_uri="",
            ovs_run_dir=str(tmp_path),
            ovsdb_socket=str(tmp_path / "db.sock"),
            proc_dir=str(proc),
        )
    )


@pytest.fixture
def gatherer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Gatherer]:
    monkeypatch.setattr(gather, "read_links", lambda: THIN)
    made = Gatherer(settings(tmp_path))
    yield made
    made.close()


@pytest.fixture
def domains(monkeypatch: pytest.MonkeyPatch) -> list[Dom]:
    found: list[Dom] = []
    monkeypatch.setitem(sys.modules, "libvirt", fake_libvirt(found))
    return found
