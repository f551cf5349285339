"""hostagent ports: whose each port is, and what could not be read."""

import json

from tests.unit.cli.conftest import Cli
from tests.unit.cli.hosts import GONE, HEALTHY, HOSTILE, HUNG, INHERITED, NOTHING, STALE
from tests.unit.cli.test_check import golden

MISSING = """
[[domain]]
name = "carol"
[[domain.interface]]
tap = "vnet9"
mac = "52:54:00:00:00:09"
[[link]]
name = "vnet9"
ifindex = 9
"""


def test_golden(cli: Cli) -> None:
    cli.show(INHERITED + STALE + GONE + MISSING + '[[port]]\nname = "patch-a"\ntype = "patch"\nofport = 3\n')
    said = cli("ports list")
    assert (said.code, said.err) == (0, "")
    golden("ports.txt", said.out)
    assert cli("ports").out == said.out


def test_show(cli: Cli) -> None:
    cli.show(INHERITED)
    golden("ports-show.txt", cli("ports show vnet0").out)
    assert cli("ports show br-int/vnet0").out == cli("ports show vnet0").out
    document = json.loads(cli("ports show vnet0 --json").out)
    assert document["codes"] == ["OVS_PORT_INHERITED"]
    assert document["row"]["tag"] == 200
    said = cli("ports show vnet99")
    assert (said.code, said.out) == (3, "")
    assert said.err == "hostagent: no port is called vnet99 (hostagent ports list shows them)\n"


def test_json(cli: Cli) -> None:
    cli.show(HEALTHY)
    document = json.loads(cli("ports list --json").out)
    assert document["schema"] == "hostagent.ports/v1"
    assert document["ports"][0]["domain"] == "alice"


def test_what_could_not_be_read_shows_as_such(cli: Cli) -> None:
    cli.show(HUNG + STALE)
    said = cli("ports")
    assert said.code == 3
    assert said.out.splitlines()[1].split() == ["br-int", "vnet7", "?", "?", "100", "-1", "none", "-"]
    assert said.err == "hostagent: libvirt did not answer within 5 s\n"
    cli.show(NOTHING)
    assert cli("ports").code == 3


def test_hostile_names(cli: Cli) -> None:
    cli.show(HOSTILE)
    for line in ("ports", "ports show vnet0", "ports --help", "ports list --json"):
        out = cli(line).out
        assert all(char == "\n" or char.isprintable() for char in out)
