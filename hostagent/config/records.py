"""The tables of the settings file.

Each key is a field below: its type, default, range and the words of docs/operate/configuration.md.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from hostagent.config.key import key
from hostagent.config.memory import Ksm, Memory
from hostagent.config.pacing import Pacing
from hostagent.config.policy import Policy


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """Where the daemons of the node are. An empty libvirt_uri means there is none."""

    libvirt_uri: str = key("qemu:///system", "libvirt's connection URI; empty on a host without libvirt")
    ovs_run_dir: str = key(
        "/run/openvswitch", "holds ovs-vswitchd's pid file and control socket", absolute=True
    )
    ovsdb_socket: str = key(
        "/run/openvswitch/db.sock", "the socket that ovsdb-server listens on", absolute=True
    )
    proc_dir: str = key("/proc", "where procfs is mounted", absolute=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Looks:
    """How the host is looked at, in seconds."""

    timeout_seconds: float = key(
        10.0, "how long one `hostagent check` or `fix` may look, both looks included", least=0.1, most=600
    )
    grace_seconds: float = key(
        2.0,
        "how long a suspicion must last: the time between the first look and the second",
        least=0,
        most=60,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Repair:
    """How much may be changed at once (ARCHITECTURE, what makes a repair safe, 4).

    ``max_steps`` caps the steps of one plan; ``max_live_share`` caps the part of the running guests'
    ports that one plan may interrupt, once more than ``min_live_ports`` of them are meant;
    ``max_per_hour`` is the latch on what keeps breaking.
    """

    max_steps: int = key(100, "a plan with more steps is refused without --force", least=1, most=100_000)
    max_live_share: float = key(
        0.5,
        "a plan that interrupts a larger part of the running guests' ports needs --force",
        least=0,
        most=1,
    )
    min_live_ports: int = key(
        10,
        "max_live_share only counts when more running guests' ports than this are meant",
        least=0,
        most=100_000,
    )
    max_per_hour: int = key(
        2000,
        "more steps than this within an hour need --force: something keeps breaking",
        least=1,
        most=1_000_000,
    )
    barrier_seconds: float = key(
        5.0, "how long to wait until ovs-vswitchd has applied a transaction", least=0.1, most=60
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Paths:
    """What hostagent keeps on the host."""

    state_dir: str = key(
        "/var/lib/hostagent", "the journal of repairs, mutes, and what the agent remembers", absolute=True
    )
    run_dir: str = key("/run/hostagent", "the lock, the agent's socket, and what it last saw", absolute=True)
    checks_dir: str = key(
        "/etc/hostagent/checks.d",
        "the site's own checks, refused unless only root can write them",
        absolute=True,
    )
    stop_file: str = key(
        "/etc/hostagent/stop", "while this file exists nothing is changed on the host", absolute=True
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Agent:
    """The loop of hostagent.service, in seconds."""

    interval_seconds: float = key(
        60.0, "how often the agent looks although nothing has told it to", least=1, most=3600
    )
    pulse_seconds: float = key(
        3.0, "how often libvirt, OVSDB and vswitchd are asked whether they still answer", least=0.5, most=60
    )
    look_seconds: float = key(3.0, "how long one look of the agent may take", least=0.5, most=30)
    fresh_seconds: float = key(
        180.0, "what the agent saw longer ago than this is shown as stale, never as fresh", least=5, most=7200
    )
    max_per_hour: int = key(
        30,
        "after so many repairs within an hour the agent only reports, until hostagent resume",
        least=1,
        most=100_000,
    )
    journal_days: float = key(
        90.0, "runs in the journal older than this are deleted; they can't be undone then", least=1, most=3650
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """The exporter of metrics, hostagent-exporter.service."""

    address: str = key("127.0.0.1", "the address that it listens on; :: and 0.0.0.0 are every address")
    port: int = key(9478, "the TCP port that it listens on", least=1, most=65535)
    tls_certificate: str = key("", "a certificate chain, PEM; with it only HTTPS is served", absolute=True)
    tls_key: str = key("", "the certificate's key, PEM", absolute=True)
    tls_client_ca: str = key(
        "", "certificates of authorities, PEM; with it a client must show one of theirs", absolute=True
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Amqp:
    """Connections to message brokers, which a firewall drops in silence when they are idle too long."""

    ports: tuple[int, ...] = key(
        (5672, 5671), "connections to these TCP ports need a keepalive", least=1, most=65535
    )
    processes: tuple[str, ...] = key(
        (), 'only of processes whose name begins so, as in ["nova-", "neutron-"]; empty: of every process'
    )
    firewall_idle_seconds: float = key(
        3600.0, "how long a connection may be silent before a firewall forgets it", least=10, most=604_800
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Dhcp:
    """How renewals of DHCP leases are tried out (hostagent.service, and `check --full`)."""

    probe: bool = key(
        default=True, about="ask each network's server as a client that renews does; no lease is taken"
    )
    probe_seconds: float = key(
        1800.0, "how often the agent asks each network, give or take a quarter", least=600, most=14_400
    )
    passive: tuple[str, ...] = key(
        (), "networks, by their names in `hostagent dhcp status`, that are only watched and never probed"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All of it. Every key has a default that is right on Debian."""

    sources: Sources = field(default_factory=Sources)
    looks: Looks = field(default_factory=Looks)
    repair: Repair = field(default_factory=Repair)
    agent: Agent = field(default_factory=Agent)
    policy: Policy = field(default_factory=Policy)
    boot: Pacing = field(default_factory=Pacing)
    export: Export = field(default_factory=Export)
    amqp: Amqp = field(default_factory=Amqp)
    memory: Memory = field(default_factory=Memory)
    ksm: Ksm = field(default_factory=Ksm)
    dhcp: Dhcp = field(default_factory=Dhcp)
    paths: Paths = field(default_factory=Paths)
