"""What the agent publishes of each network."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hostagent.decide.dhcp import judge, states
from hostagent.health.case import parse_host
from hostagent.model.dhcp import Expected, Keeper, Lease
from tests.unit.decide.dhcp_data import GONE, MAC, NOW, dhcp
from tests.unit.decide.test_dhcp_probes import report

if TYPE_CHECKING:
    from hostagent.model.dhcp import Dhcp
    from hostagent.model.guests import Domains
    from hostagent.model.host import Unavailable
    from hostagent.model.published import DhcpNetwork

GUEST = f'[[domain]]\nname = "alice"\n[[domain.interface]]\nbridge = "br1"\novs = false\nmac = "{MAC}"\n'


def published(seen: Dhcp, domains: Domains | Unavailable = GONE) -> tuple[DhcpNetwork, ...]:
    return states(seen, judge(seen, domains, NOW), domains, NOW)


def layers(seen: Dhcp, domains: Domains | Unavailable = GONE) -> dict[str, str]:
    (network,) = published(seen, domains)
    assert (network.network, network.server) == ("br1", "10.77.1.1")
    return {each.layer: each.state for each in network.verdicts}


def test_without_guests_and_probes_the_socket_alone_speaks() -> None:
    assert layers(dhcp()) == {"socket": "ok"}
    assert published(dhcp())[0].overdue is None


def test_probes_by_layer_with_time_and_latency() -> None:
    probes = (
        report("unicast", "dead", NOW - 50),
        report("unicast", "ok", NOW - 5, latencies=(0.001, 0.009, 0.002)),
        report("renew", "no_offer", NOW - 7),
        report("passive", "nak", NOW - 3),
    )
    (network,) = published(dhcp(probes=probes))
    found = {each.layer: (each.state, each.at, each.latency_seconds) for each in network.verdicts}
    assert found == {
        "socket": ("ok", None, None),
        "unicast": ("ok", NOW - 5, 0.002),
        "renew": ("warn", NOW - 7, None),
        "passive": ("crit", NOW - 3, None),
    }


def test_what_could_not_be_tried_is_said_unless_it_once_was() -> None:
    assert layers(dhcp(probes=(report("unicast", "skipped"),)))["unicast"] == "skip"
    both = (report("unicast", "split", NOW - 9), report("unicast", "skipped"))
    assert layers(dhcp(probes=both))["unicast"] == "crit"


def test_reports_of_another_process_or_network_are_none() -> None:
    others = (
        report("unicast", "skipped", server_pid=99),
        report("renew", "ok", server_pid=99),
        report("unicast", "ok", network="br2"),
    )
    assert layers(dhcp(probes=others)) == {"socket": "ok"}


def test_overdue_leases_are_counted() -> None:
    domains = parse_host(GUEST).domains
    late = Lease(address="10.77.1.60", mac=MAC, expires=NOW + 300, pid=11)
    (network,) = published(dhcp(leases=(late,)), domains)
    assert network.overdue == 1
    assert layers(dhcp(leases=(late,)), domains) == {"socket": "ok", "lease": "warn"}
    assert published(dhcp(), domains)[0].overdue == 0


def test_a_network_without_its_server_is_there_too() -> None:
    missing = Expected(network="lan", keeper=Keeper.LIBVIRT, link="virbr9", address="10.9.0.1")
    network = next(each for each in published(dhcp(expected=(missing,))) if each.network == "lan")
    assert network.server == "10.9.0.1"
    assert [(each.layer, each.state) for each in network.verdicts] == [("socket", "crit")]
