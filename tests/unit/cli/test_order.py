"""hostagent order show: text, JSON, dot and exit codes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from hostagent.cli import order
from hostagent.health.case import parse_host
from hostagent.model.units import Units

if TYPE_CHECKING:
    from tests.unit.cli.conftest import Cli

GAP = '[units.change."libvirtd.service"]\nafter = []\n'


@pytest.fixture
def units(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    found = parse_host(request.param).units
    assert isinstance(found, Units)
    monkeypatch.setattr(order, "read_units", lambda *_, **__: found)


@pytest.mark.usefixtures("units")
@pytest.mark.parametrize("units", [""], indirect=True)
def test_right(cli: Cli) -> None:
    assert cli("order").code == 0
    said = cli("order show")
    assert said.code == 0
    assert "all 5 orders are right" in said.out
    document = json.loads(cli("order show --format json").out)
    assert (document["schema"], document["right"]) == ("hostagent.order/v1", True)


@pytest.mark.usefixtures("units")
@pytest.mark.parametrize("units", [GAP], indirect=True)
def test_a_missing_edge(cli: Cli) -> None:
    said = cli("order show")
    assert said.code == 1
    assert "libvirtd.service lacks After=ovs-vswitchd.service" in said.out
    assert "2 of 5 orders missing" in said.out
    assert '"libvirtd.service" -> "ovs-vswitchd.service" [color=red' in cli("order show --format dot").out


@pytest.mark.parametrize("words", ["", "--ovs-unit ../x.service", "--ovs-unit a.mount"])
def test_install_refuses(cli: Cli, words: str) -> None:
    said = cli(f"order install {words}")
    assert said.code == 3
    assert said.err.count("\n") == 1
