"""hostagent dhcp: the table, JSON, and errors, over hosts written in TOML."""

import json
import os

import pytest

from tests.unit.cli.conftest import Cli

TWO = """
[[dhcp.link]]
name = "br1"
addresses = ["10.77.1.1/24"]
[[dhcp.link]]
name = "br2"
addresses = ["10.77.2.1/24"]
[[dhcp.server]]
pid = 11
interfaces = ["br1"]
ranges = ["10.77.1.10,10.77.1.99,3600"]
[[dhcp.server]]
pid = 12
listen = ["10.77.2.1"]
ranges = ["10.77.2.10,10.77.2.99,3600"]
[[dhcp.socket]]
pid = 11
on = "br1"
[[dhcp.socket]]
pid = 12
queue = 832
[[dhcp.lease]]
pid = 11
address = "10.77.1.20"
mac = "52:54:00:00:00:01"
expires = 1800.0
[[dhcp.probe]]
network = "br1"
server = "10.77.1.1"
layer = "unicast"
outcome = "split"
answered = 9
asked = 17
"""


def test_status(cli: Cli) -> None:
    cli.show(TWO)
    said = cli("dhcp status")
    lines = said.out.splitlines()
    assert (said.code, said.err) == (0, "")
    assert lines[1].split() == "br1 10.77.1.1 dnsmasq 11 br1 br1 0 1 50% unicast split 0 s ago".split()
    assert lines[2].split() == "br2 10.77.2.1 dnsmasq 12 br2 unbound 832 0 - -".split()
    assert any("DHCP_SOCKET_UNBOUND  br2/10.77.2.1" in line for line in lines)
    assert any("9 of 17 answered" in line for line in lines)
    assert cli("dhcp").out == said.out


def test_status_json(cli: Cli) -> None:
    cli.show(TWO)
    document = json.loads(cli("dhcp status --json").out)
    assert document["schema"] == "hostagent.dhcp/v1"
    assert [each["network"] for each in document["networks"]] == ["br1", "br2"]
    assert document["networks"][0]["probes"][0]["outcome"] == "split"
    assert {each["code"] for each in document["findings"]} == {"DHCP_SOCKET_UNBOUND", "DHCP_RENEWAL_SPLIT"}


def test_nothing_serves(cli: Cli) -> None:
    cli.show("")
    said = cli("dhcp status")
    assert (said.code, said.out) == (0, "no dnsmasq serves DHCP here\n")
    assert json.loads(cli("dhcp status --json").out)["networks"] == []


def test_half_read(cli: Cli) -> None:
    cli.show(TWO + '[dhcp.unread]\n"" = "network namespace host can\'t be read"\n')
    said = cli("dhcp status")
    assert said.code == 3
    assert said.err == "hostagent: network namespace host can't be read\n"
    assert "?" in said.out


@pytest.mark.parametrize("command", ["dhcp status", "dhcp probe br1"])
def test_not_root(cli: Cli, command: str) -> None:
    cli.show('[unavailable]\ndhcp = "denied: dnsmasq (process 11): run as root"\n')
    said = cli(command)
    assert (said.code, said.err) == (3, "hostagent: dnsmasq (process 11): run as root\n")


def test_unknown_network(cli: Cli) -> None:
    cli.show(TWO)
    said = cli("dhcp probe br7")
    assert said.code == 3
    assert (
        said.err
        == "hostagent: no network that is served here is called br7 (hostagent dhcp status lists them)\n"
    )


def test_hostile_names(cli: Cli) -> None:
    cli.show(TWO.replace('"br1"', '"br1\\u001b[31m"'))
    said = cli("dhcp status")
    assert "\x1b" not in said.out
    assert "\\x1b" in said.out


def test_full_without_root_probes_nothing(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    cli.show(TWO.partition("[[dhcp.probe]]")[0])
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    document = json.loads(cli("check --live --full --json DHCP_RENEWAL_DEAD").out)
    assert document["checks"][0]["state"] == "skip"
