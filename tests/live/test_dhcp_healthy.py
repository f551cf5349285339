"""What is well is left in peace: healthy setups are quiet, and a probe leaves all as it was."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from hostagent.act.dhcp.port import mac_of
from hostagent.act.dhcp.probe import probe_renew, probe_unicast
from hostagent.config import Settings
from hostagent.config.records import Paths, Sources
from hostagent.model.dhcp import Outcome
from tests.live.dhcp_judge import faults
from tests.live.dhcp_rig import Rig
from tests.live.dhcp_rows import HEALTHY, Row

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.lab

_SEED = 20261123


@pytest.fixture(scope="module")
def rig() -> Iterator[Rig]:
    with Rig("h") as made:
        yield made


@pytest.fixture(scope="module")
def rig_apart() -> Iterator[Rig]:
    with Rig("a", apart=True) as made:
        yield made


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(
        paths=Paths(run_dir=str(tmp_path), stop_file=str(tmp_path / "stop")),
        sources=Sources(ovsdb_socket=str(tmp_path / "none.sock")),
    )


@pytest.mark.parametrize("row", HEALTHY, ids=lambda row: row.name)
def test_healthy_setups_are_quiet(rig: Rig, rig_apart: Rig, row: Row, settings: Settings) -> None:
    assert faults(rig_apart if row.apart else rig, row, _SEED, settings, renew=False) == []


def state(rig: Rig) -> dict[str, str]:
    """What a probe must leave alone: leases, links, and what the guests know of their neighbours."""
    found = {guest.name: rig.inside(guest.name, "ip -br neigh") for guest in rig.guests[1]}
    found["leases"] = rig.leases(1).read_text()
    found["links"] = rig.ip(1, "-br link")
    found["names"] = rig.names(1)
    return found


@pytest.mark.alone  # a probe has 50 ms
def test_nothing_is_as_before_only_the_answer_is_known(rig: Rig, settings: Settings) -> None:
    rig.reset()
    rig.serve(1, "--bind-interfaces --interface=br1 --no-ping", port=53)
    rig.serve(2, "--bind-interfaces --interface=br2 --no-ping")
    rig.lease_all()
    rig.renew_all()  # the guests know their server
    rig.settle(1)
    before = state(rig)
    seconds = []
    for _ in range(20):
        began = time.monotonic()
        assert probe_unicast(rig.target(1), settings).outcome is Outcome.OK
        seconds.append(time.monotonic() - began)
        assert rig.ip(1, "-br link") == before["links"]
    assert state(rig) == before
    assert probe_renew(rig.target(1), settings).outcome is Outcome.OK
    assert rig.leases(1).read_text() == before["leases"]
    assert mac_of("net1") not in {guest.mac for guest in rig.guests[1]}
    print(f"unicast probe, port made and removed: median {sorted(seconds)[10] * 1000:.0f} ms")
    assert min(seconds) < 0.05
