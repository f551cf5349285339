"""vswitchd's answers → records, and vswitchd hung, gone or never there."""

import os
import time
from pathlib import Path
from typing import Any

import pytest

from hostagent.model.host import Trouble
from hostagent.model.ports import DatapathPort
from hostagent.sources.deadline import ReadError
from hostagent.sources.vswitchd import VswitchdReader
from hostagent.sources.vswitchd_text import TextError, parse_dpif_show, parse_in_ports, parse_version
from tests.unit.sources.fake_server import FakeServer, reply

FIXTURES = Path(__file__).parents[2] / "fixtures" / "sources"


def fixture(name: str) -> str:
    return (FIXTURES / name).read_text()


def test_userspace_datapath() -> None:
    assert parse_dpif_show(fixture("dpif-show-netdev.txt")) == {
        "br-ext": {
            "br-ext": DatapathPort(ofport=65534, number=2, type="tap"),
            "vnet1": DatapathPort(ofport=1, number=4, type="system"),
        },
        "br-int": {
            "br-int": DatapathPort(ofport=65534, number=1, type="tap"),
            "patch 1 of two": DatapathPort(ofport=7, number=None, type="patch"),
            "vnet0": DatapathPort(ofport=1, number=3, type="system"),
        },
    }


def test_both_datapaths() -> None:
    found = parse_dpif_show(fixture("dpif-show-system.txt"))
    assert {name: sorted(ports) for name, ports in found.items()} == {
        "br-int": ["br-int", "patch-tun", "tap9b7c2f10-5e", "vxlan-0a000002"],
        "tbr-0a1b2c3d-4": ["tbr-0a1b2c3d-4"],
        "br-dpdk": ["br-dpdk", "dpdk0"],
    }
    assert found["br-int"]["vxlan-0a000002"] == DatapathPort(ofport=3, number=4, type="vxlan")
    assert found["br-int"]["patch-tun"] == DatapathPort(ofport=1, number=None, type="patch")


def test_no_datapath_and_bridge_without_ports() -> None:
    assert parse_dpif_show("") == {}
    assert parse_dpif_show("netdev@ovs-netdev: hit:0 missed:0\n  br0:\n") == {"br0": {}}


@pytest.mark.parametrize("line", ["    vnet0 1: (tap)", "    vnet0 1/2: (tap)", "   br0", "  split"])
def test_an_unknown_line_is_not_skipped(line: str) -> None:
    with pytest.raises(TextError, match="dpif/show has a line"):
        parse_dpif_show(f"netdev@ovs-netdev: hit:0 missed:0\n{line}\n")


def test_in_ports_without_reserved_and_hidden() -> None:
    assert parse_in_ports(fixture("dump-flows.txt")) == {77: 1, 1: 1}
    rules = (
        "duration=1s, n_packets=0, n_bytes=0, priority=1,in_port=3,actions=output:9\n"
        "duration=1s, n_packets=0, n_bytes=0, in_port=3\n"
        "duration=1s, n_packets=0, n_bytes=0, priority=180000,in_port=4,actions=NORMAL\n"
        "duration=1s, n_packets=0, n_bytes=0, ct_mark=5,in_port=65534,actions=drop\n"
        "duration=1s, n_packets=0, n_bytes=0, actions=learn(in_port=8),load:1->NXM_OF_IN_PORT[]\n"
    )
    assert parse_in_ports(rules) == {3: 2}


def test_version() -> None:
    assert parse_version("ovs-vswitchd (Open vSwitch) 3.1.0\n") == "3.1.0"
    with pytest.raises(TextError):
        parse_version("ovsdb-server (Open vSwitch) 3.1.0")


def answer(request: dict[str, Any]) -> list[bytes]:
    texts = {
        "version": "ovs-vswitchd (Open vSwitch) 3.1.0",
        "dpif/show": fixture("dpif-show-netdev.txt"),
        "bridge/dump-flows": fixture("dump-flows.txt") if request["params"] == ["br-int"] else "",
    }
    return [reply(request, texts[request["method"]])]


def run_dir(tmp_path: Path) -> VswitchdReader:
    (tmp_path / "ovs-vswitchd.pid").write_text("77\n")
    return VswitchdReader(run_dir=str(tmp_path), root=str(tmp_path))


def soon(seconds: float = 30.0) -> float:
    return time.monotonic() + seconds


def test_read(tmp_path: Path) -> None:
    reader = run_dir(tmp_path)
    with FakeServer(tmp_path / "ovs-vswitchd.77.ctl", answer):
        found = reader.read(soon())
        flows = reader.read_flows(soon())
    assert (found.version, sorted(found.datapath)) == ("3.1.0", ["br-ext", "br-int"])
    assert found.pid == os.getpid()  # who listens, not what the file says
    assert flows.in_ports == {"br-ext": {}, "br-int": {77: 1, 1: 1}}


def trouble(reader: VswitchdReader, seconds: float = 30.0) -> ReadError:
    with pytest.raises(ReadError) as raised:
        reader.read(soon(seconds))
    return raised.value


def test_hung(tmp_path: Path) -> None:
    reader = run_dir(tmp_path)
    with FakeServer(tmp_path / "ovs-vswitchd.77.ctl", lambda _: None):
        error = trouble(reader, 0.2)
        assert reader.pid(soon()) == os.getpid()
    assert error.trouble is Trouble.UNRESPONSIVE
    assert "no answer to version" in error.reason


def test_killed_and_left_its_files(tmp_path: Path) -> None:
    reader = run_dir(tmp_path)
    with FakeServer(tmp_path / "ovs-vswitchd.77.ctl", answer):
        pass
    error = trouble(reader)
    assert error.trouble is Trouble.UNREACHABLE
    assert "connection refused (is it running? systemctl status ovs-vswitchd)" in error.reason


def test_stopped(tmp_path: Path) -> None:
    reader = VswitchdReader(run_dir=str(tmp_path), root=str(tmp_path))
    assert trouble(reader).trouble is Trouble.ABSENT
    (tmp_path / "etc/openvswitch").mkdir(parents=True)
    (tmp_path / "etc/openvswitch/conf.db").touch()
    error = trouble(reader)
    assert error.trouble is Trouble.UNREACHABLE
    assert error.reason.startswith("vswitchd is not running: no ")


def test_odd_files_and_answers(tmp_path: Path) -> None:
    reader = run_dir(tmp_path)
    with FakeServer(tmp_path / "ovs-vswitchd.77.ctl", lambda request: [reply(request, ["no text"])]):
        assert trouble(reader).trouble is Trouble.INVALID
    (tmp_path / "ovs-vswitchd.pid").write_text("")
    assert trouble(reader).trouble is Trouble.INVALID
