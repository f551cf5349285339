"""Probes against real dnsmasq in every state of DHCP.md's table; `make soak-dhcp` runs each twenty times."""

from __future__ import annotations

import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from random import Random
from threading import Event
from typing import TYPE_CHECKING

import pytest

from hostagent.act.dhcp import renew
from hostagent.act.dhcp.port import probe_port
from hostagent.act.dhcp.probe import probe_unicast, remove_leftovers
from hostagent.act.dhcp.wire import Wire
from hostagent.config import Settings
from hostagent.config.records import Paths, Sources
from hostagent.errors import RefusedError
from hostagent.model.dhcp import Outcome
from tests.live.dhcp_judge import faults
from tests.live.dhcp_rig import Rig, soon
from tests.live.dhcp_rows import ROWS, Row

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.lab

_SEED = 20261123
_KILLS = 3
PROBING = """
import sys
from hostagent.act.dhcp.probe import probe_renew, probe_unicast
from hostagent.config import Settings
from hostagent.config.records import Paths
from hostagent.model.dhcp import ProbeTarget
settings = Settings(paths=Paths(run_dir=sys.argv[1]))
namespace, renew = sys.argv[2], sys.argv[3] == "renew"
target = ProbeTarget(network="net1", namespace=namespace, link="br1", kind="linux-bridge",
                     server="10.77.1.1", prefix="10.77.1.0/24")
print("ready", flush=True)
while True:
    (probe_renew if renew else probe_unicast)(target, settings)
"""


@pytest.fixture(scope="module")
def rig() -> Iterator[Rig]:
    with Rig("t") as made:
        yield made


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(
        paths=Paths(run_dir=str(tmp_path), stop_file=str(tmp_path / "stop")),
        sources=Sources(ovsdb_socket=str(tmp_path / "none.sock")),
    )


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_each_fault_is_called_by_its_name(rig: Rig, row: Row, settings: Settings) -> None:
    """The layer renew is run where it is quick; the soak runs it everywhere."""
    quick = row.name in {"bound", "stolen", "leases lost"}
    assert faults(rig, row, _SEED, settings, renew=quick) == []


def test_a_lease_that_the_server_has_lost_is_refused(rig: Rig, settings: Settings) -> None:
    rig.reset()
    rig.serve(1, "--bind-interfaces --interface=br1 --no-ping")

    def lose(_: renew.Renewal) -> None:
        rig.stop(1)
        rig.leases(1).unlink()
        rig.serve(1, "--bind-interfaces --interface=br1 --no-ping")

    target = rig.target(1)
    with probe_port(target, settings) as (opened, mac):
        report = renew.probe(Wire(opened, mac), target, between=lose)
    assert report.outcome is Outcome.NAK, report.timeline


def test_a_renewal_that_is_broken_off_gives_its_lease_back(rig: Rig, settings: Settings) -> None:
    rig.reset()
    rig.serve(1, "--bind-interfaces --interface=br1 --no-ping")
    ended, target = Event(), rig.target(1)
    with (
        probe_port(target, settings) as (opened, mac),
        pytest.raises(RefusedError, match="broken off"),
    ):
        renew.probe(Wire(opened, mac, ended.is_set), target, between=lambda _: ended.set())
    soon("the lease is given back", lambda: mac not in rig.leases(1).read_text())
    assert "DHCPRELEASE" in rig.server_log(1).read_text()


@pytest.mark.parametrize("kind", ["unicast", "renew"])
def test_a_killed_probe_leaves_nothing(rig: Rig, settings: Settings, kind: str) -> None:
    rig.reset()
    rig.serve(1, "--bind-interfaces --interface=br1 --no-ping")
    links = rig.ip(1, "-br link")
    random = Random(_SEED)
    target = rig.target(1)
    argv = [sys.executable, "-c", PROBING, settings.paths.run_dir, target.namespace, kind]
    for _ in range(_KILLS if kind == "unicast" else 2):
        with subprocess.Popen(argv, stdout=subprocess.PIPE) as probing:
            assert probing.stdout is not None
            probing.stdout.readline()
            time.sleep(random.uniform(0.15, 0.4))
            probing.kill()
        remove_leftovers(settings)
        assert rig.ip(1, "-br link") == links
    assert probe_unicast(target, settings).outcome is Outcome.OK


def test_a_leftover_port_is_removed(rig: Rig, settings: Settings) -> None:
    rig.reset()
    name = "hadhcp7fffffff"  # no process has such a pid
    rig.ip(1, f"link add {name} type veth peer name other")
    assert remove_leftovers(settings) == 1
    assert name not in rig.ip(1, "-br link")


def test_no_probe_while_the_stop_file_exists(rig: Rig, settings: Settings) -> None:
    Path(settings.paths.stop_file).touch()
    with pytest.raises(RefusedError, match="halts"):
        probe_unicast(rig.target(1), settings)


def test_what_can_not_be_probed_is_skipped(rig: Rig, settings: Settings) -> None:
    rig.reset()
    relayed = replace(rig.target(1), server="10.78.0.1")
    assert probe_unicast(relayed, settings).outcome is Outcome.SKIPPED
    device = replace(rig.target(1), kind="device")
    assert "no bridge" in probe_unicast(device, settings).detail
    rig.ip(1, "link add empty type bridge")
    empty = replace(rig.target(1), link="empty")
    assert "MAC" in probe_unicast(empty, settings).detail
    rig.ip(1, "link del empty")
