"""What can be wrong with a node's DHCP servers, and setups in which nothing is: each made in a Rig."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

from hostagent.model.dhcp import Outcome
from tests.live.dhcp_rig import NETWORKS, Rig

Make = Callable[[Rig, Random], None]
Outcomes = tuple[frozenset[Outcome], frozenset[Outcome]]  # of network 1 and 2: what may be said


def _both(*outcomes: Outcome) -> Outcomes:
    return (frozenset(outcomes), frozenset(outcomes))


def _each(first: Outcome, second: Outcome) -> Outcomes:
    return (frozenset({first}), frozenset({second}))


_OK, _SPLIT, _DEAD = _both(Outcome.OK), _both(Outcome.SPLIT), _both(Outcome.DEAD)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """``serve`` starts the servers, ``harm`` comes after the guests have their leases."""

    name: str
    serve: Make
    harm: Make = field(default=lambda _rig, _random: None)
    unicast: Outcomes = _OK
    renew: Outcomes = _OK
    apart: bool = False
    unknown_ignored: bool = False


def _interface(network: int) -> str:
    return f"--interface=br{network} --except-interface=lo --no-ping"


def _listen(network: int) -> str:
    return f"--listen-address=10.77.{network}.1 --except-interface=lo --no-ping"


def _way(random: Random) -> str:
    return random.choice(("--bind-interfaces", "--bind-dynamic"))


def _bound(rig: Rig, random: Random) -> None:
    for network in random.sample(NETWORKS, 2):
        rig.serve(network, f"{_way(random)} {_interface(network)}")


def _unbound(rig: Rig, random: Random) -> None:
    late = random.random() < 0.25
    for network in NETWORKS if late else ():
        rig.remove_bridge(network)
    for network in random.sample(NETWORKS, 2):
        several = random.random() < 0.5
        if late:
            rig.serve(network, f"--bind-dynamic {_interface(network)}")
        elif several:
            rig.extra(network, f"other{network}")
            rig.serve(network, f"{_way(random)} {_interface(network)} --interface=other{network}")
        else:
            rig.serve(network, f"{_way(random)} {_listen(network)}")
    for network in NETWORKS if late else ():
        rig.make_bridge(network)


def _stolen(rig: Rig, _: Random) -> None:
    rig.serve(1, f"--bind-interfaces {_interface(1)}")
    rig.serve(2, f"--bind-interfaces {_listen(2)}")


def _unbound_first(rig: Rig, _: Random) -> None:
    rig.serve(1, f"--bind-interfaces {_listen(1)}")
    rig.serve(2, f"--bind-interfaces {_interface(2)}")


def _restart_first(rig: Rig, _: Random) -> None:
    rig.stop(1)
    rig.serve(1, f"--bind-interfaces {_listen(1)}")


def _unprivileged(rig: Rig, _: Random) -> None:
    for network in NETWORKS:
        rig.serve(network, f"--bind-dynamic {_interface(network)}", user="nobody")


def _new_bridges(rig: Rig, _: Random) -> None:
    for network in NETWORKS:
        rig.remove_bridge(network)
        rig.make_bridge(network)


def _firewall(rig: Rig, _: Random) -> None:
    rig.drop("input", "ip daddr 10.77.0.0/16 udp dport 67")


def _no_way_back(rig: Rig, random: Random) -> None:
    if random.random() < 0.5:
        rig.drop("output", "ip daddr 10.77.0.0/16 udp sport 67")
        return
    rig.inside(rig.host(1), "busybox sysctl -qw net.ipv4.conf.all.rp_filter=1")
    rig.extra(1, "wrong")
    for network in NETWORKS:
        for half in (0, 128):
            rig.ip(1, f"route add 10.77.{network}.{half}/25 dev wrong")


def _lost_leases(*words: str) -> Make:
    def make(rig: Rig, random: Random) -> None:
        for network in NETWORKS:
            rig.stop(network)
            rig.leases(network).unlink()
            rig.serve(network, " ".join((_way(random), _interface(network), *words)))

    return make


ROWS = (
    Row(name="bound", serve=_bound),
    Row(name="unbound", serve=_unbound, unicast=_SPLIT, renew=_both(Outcome.OK, Outcome.REBIND_ONLY)),
    Row(
        name="stolen",
        serve=_stolen,
        unicast=_each(Outcome.DEAD, Outcome.OK),
        renew=_each(Outcome.REBIND_ONLY, Outcome.OK),
    ),
    Row(name="unbound first", serve=_unbound_first),
    Row(
        name="unbound first, restarted",
        serve=_unbound_first,
        harm=_restart_first,
        unicast=_each(Outcome.OK, Outcome.DEAD),
        renew=_each(Outcome.OK, Outcome.REBIND_ONLY),
    ),
    Row(
        name="bridges made again",
        serve=_unprivileged,
        harm=_new_bridges,
        unicast=_DEAD,
        renew=_both(Outcome.NO_OFFER),
    ),
    Row(
        name="firewall",
        serve=_bound,
        harm=_firewall,
        unicast=_DEAD,
        renew=_both(Outcome.REBIND_ONLY),
    ),
    Row(
        name="no way back",
        serve=_bound,
        harm=_no_way_back,
        unicast=_DEAD,
        renew=_both(Outcome.REPLY_PATH),
    ),
    Row(
        name="hung",
        serve=_bound,
        harm=lambda rig, _: rig.hang(2),
        unicast=_each(Outcome.OK, Outcome.DEAD),
        renew=_each(Outcome.OK, Outcome.NO_OFFER),
    ),
    Row(name="leases lost", serve=_bound, harm=_lost_leases()),
    Row(name="leases lost, authoritative", serve=_bound, harm=_lost_leases("--dhcp-authoritative")),
)


def _each_serves(words: str, served: str = "") -> Make:
    """Every network's server with the same words; {n} is the network's number."""

    def make(rig: Rig, _: Random) -> None:
        for network in NETWORKS:
            hosts = " ".join(
                f"--dhcp-host={guest.mac},10.77.{network}.{10 + number}"
                for number, guest in enumerate(rig.guests[network])
            )
            words_here, served_here = (each.format(n=network) for each in (words, served))
            rig.serve(network, f"--no-ping {words_here} {hosts}", served=served_here)

    return make


def _beside_a_relay(rig: Rig, random: Random) -> None:
    """A third network's requests are relayed to a server elsewhere."""
    rig.extra(1, "far")
    rig.serve(3, f"{_way(random)} --interface=far", served="--dhcp-relay=10.79.1.1,10.99.0.1")
    _bound(rig, random)


_BOUND = "--bind-interfaces --interface=br{n} --except-interface=lo"
HEALTHY = (
    Row(
        name="libvirt",
        serve=_each_serves(
            "--strict-order --bind-dynamic --interface=br{n} --except-interface=lo --dhcp-no-override "
            "--dhcp-authoritative --dhcp-lease-max=253"
        ),
    ),
    Row(
        name="neutron",
        apart=True,
        serve=_each_serves(
            "--no-hosts --strict-order --except-interface=lo --bind-dynamic --dhcp-authoritative",
            served="--dhcp-range=set:subnet,10.77.{n}.0,static,255.255.255.0,86400s",
        ),
        renew=_both(Outcome.NO_OFFER),
    ),
    Row(
        name="incus",
        serve=_each_serves(
            f"--strict-order {_BOUND} --dhcp-rapid-commit --dhcp-no-override --dhcp-authoritative "
            "--dhcp-option-force=26,1500 --listen-address=10.77.{n}.1"
        ),
    ),
    Row(
        name="lxc-net",
        apart=True,
        serve=_each_serves(
            "--strict-order --bind-interfaces --listen-address=10.77.{n}.1 --dhcp-lease-max=253 "
            "--dhcp-no-override --except-interface=lo --interface=br{n} --dhcp-authoritative"
        ),
    ),
    Row(name="dhcp-relay", serve=_beside_a_relay),
    Row(
        name="known guests only",
        serve=_each_serves(f"{_BOUND} --dhcp-ignore=tag:!known"),
        unicast=_both(Outcome.SKIPPED),
        renew=_both(Outcome.SKIPPED),
        unknown_ignored=True,
    ),
    Row(
        name="static ranges",
        serve=_each_serves(_BOUND, served="--dhcp-range=10.77.{n}.0,static,2m"),
        renew=_both(Outcome.NO_OFFER),
    ),
    Row(
        name="infinite leases",
        serve=_each_serves(_BOUND, served="--dhcp-range=10.77.{n}.2,10.77.{n}.200,infinite"),
    ),
)
