"""Runs inside a node: a host full of drift on real Open vSwitch daemons, guests being data.

The taps, rows and vswitchd are real; libvirt's section is made up, so that a scene takes 0.3 s and
a domain can start or stop at an exact moment.
"""

from __future__ import annotations

import fcntl
import itertools
import json
import os
import signal
import struct
import subprocess
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

from hostagent.act.executor import Executor
from hostagent.act.schema import Row, restorable
from hostagent.act.store import Store
from hostagent.config import Looks, Paths, Repair, Settings
from hostagent.decide.drift import find_drift
from hostagent.decide.repair import plan_repair
from hostagent.model.guests import Bandwidth, Domain, Domains, DomainState, GuestInterface, GuestVlan, Rate
from hostagent.sources.gather import Gatherer

if TYPE_CHECKING:
    from hostagent.model.host import Snapshot
    from hostagent.model.plan import Plan

VLAN7 = GuestVlan(tags=(7,))
VSWITCHD = Path("/run/openvswitch/ovs-vswitchd.pid")


def vsctl(*arguments: str) -> str:
    command = ["ovs-vsctl", "--timeout=10", *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def deaf(seconds: float = 0.0) -> None:
    """Stop vswitchd, or let it go on."""
    os.kill(int(VSWITCHD.read_text()), signal.SIGSTOP)
    time.sleep(seconds)


def hear() -> None:
    os.kill(int(VSWITCHD.read_text()), signal.SIGCONT)
    time.sleep(0.3)


def mac(number: int) -> str:
    return f"52:54:00:00:{number >> 8:02x}:{number & 255:02x}"


def qos(number: int, name: str) -> list[str]:
    """What libvirt does for bandwidth."""
    ids = [f"external_ids:vm-id={UUID(int=number + 1)}", f"external_ids:ifname={name}"]
    limit = "other_config:max-rate=1000000"
    one = ["--", "set", "Port", name, "qos=@q", *ids, "--", "--id=@q", "create", "QoS", "type=linux-htb"]
    return [*one, limit, *ids, "queues:0=@u", "--", "--id=@u", "create", "Queue", limit, *ids]


class Scene:
    """Guests, taps and rows by number: guest N has vnetN."""

    def __init__(self) -> None:
        home = tempfile.mkdtemp(prefix="act-", dir="/var/lib")
        self.settings = Settings(
            paths=Paths(state_dir=f"{home}/state", run_dir=f"{home}/run", stop_file=f"{home}/stop"),
            repair=Repair(max_steps=1000, max_live_share=1.0, barrier_seconds=2.0),
            looks=Looks(timeout_seconds=2.0),
        )
        self._gatherer = Gatherer(self.settings)
        self._taps: dict[str, int] = {}
        self._domains: dict[str, Domain] = {}

    def look(self) -> Snapshot:
        return replace(self._gatherer.look(), domains=Domains(by_uuid=dict(self._domains)))

    def plan(self) -> Plan:
        snapshot = self.look()
        return plan_repair(find_drift(snapshot), snapshot, limits=self.settings.repair)

    def executor(self, settings: Settings | None = None) -> Executor:
        return Executor(settings or self.settings, self.look, lock_wait_seconds=0.2)

    def fork(self) -> None:
        """Threads and connections do not survive a fork."""
        self._gatherer = Gatherer(self.settings)

    def rest(self) -> None:
        self._gatherer.close()

    def tap(self, number: int) -> None:
        name = f"vnet{number}"
        device = os.open("/dev/net/tun", os.O_RDWR)
        fcntl.ioctl(device, 0x400454CA, struct.pack("16sH22s", name.encode(), 0x1002, b""))  # TUNSETIFF
        subprocess.run(["ip", "link", "set", name, "up"], check=True)
        self._taps[name] = device

    def no_tap(self, number: int) -> None:
        os.close(self._taps.pop(f"vnet{number}"))

    def guest(self, number: int, bridge: str = "br-int", **fields: Any) -> None:
        interface = GuestInterface(
            kind="bridge",
            mac=mac(number),
            tap=f"vnet{number}",
            bridge=bridge,
            ovs=True,
            interface_id=str(UUID(int=1000 + number)),
            **fields,
        )
        key = str(UUID(int=number + 1))
        self._domains[key] = Domain(
            uuid=key, name=f"g{number}", state=DomainState.RUNNING, live=True, interfaces=(interface,)
        )

    def row(self, number: int, bridge: str = "br-int", *columns: str) -> None:
        name = f"vnet{number}"
        ids = [f'attached-mac="{mac(number)}"', f"iface-id={UUID(int=1000 + number)}"]
        ids += [f"vm-id={UUID(int=number + 1)}", "iface-status=active"]
        marks = [f"external_ids:{each}" for each in ids]
        vsctl("add-port", bridge, name, *columns, "--", "set", "Interface", name, *marks)

    def dead_rx(self, *numbers: int) -> None:
        """Make the taps again while vswitchd can't notice (FACTS)."""
        time.sleep(0.2)
        deaf()
        for number in numbers:
            self.no_tap(number)
            self.tap(number)
        hear()

    def clear(self) -> None:
        for name in list(self._taps):
            os.close(self._taps.pop(name))
        self._domains.clear()
        bridges = ["--may-exist", "add-br", "br-int", "--", "--may-exist", "add-br", "br-ext"]
        types = [f"-- set Bridge {name} datapath_type=netdev".split() for name in ("br-int", "br-ext")]
        vsctl(*bridges, *itertools.chain(*types))
        ports = vsctl("list-ports", "br-int").split() + vsctl("list-ports", "br-ext").split()
        drop = itertools.chain(*(["--", "del-port", name] for name in ports if name.startswith("vnet")))
        vsctl("clear", "Bridge", "br-int", "mirrors", *drop)
        vsctl("--all", "destroy", "QoS", "--", "--all", "destroy", "Queue")

    def drift(self) -> None:
        """A stale, an inherited, a misplaced, a missing, a healthy and a deaf port."""
        self.clear()
        for number in range(1, 6):
            self.tap(number)
        self.row(0, "br-int", "tag=100")
        vsctl(*qos(0, "vnet0")[1:])
        self.guest(1)
        self.row(1, "br-int", "tag=100")
        vsctl("set", "Interface", "vnet1", "ingress_policing_rate=4000", *qos(50, "vnet1"))
        self.guest(2, bridge="br-ext")
        self.row(2)
        rate = Bandwidth(inbound=Rate(average=1000, peak=2000), outbound=Rate(average=500))
        self.guest(3, vlan=GuestVlan(tags=(30,)), bandwidth=rate)
        for number in (4, 5):
            self.guest(number, vlan=VLAN7, bandwidth=Bandwidth(inbound=Rate(average=1000)))
            self.row(number, "br-int", "tag=7")
        vsctl(
            "set",
            "Port",
            "vnet5",
            "other_config:x=y",
            "bond_updelay=3",
            "external_ids:site=keep",
            *qos(5, "vnet5"),
        )
        vsctl(*"set Interface vnet5 mtu_request=1400 other_config:a=b lldp:enable=false".split())
        mirrors = (
            "--id=@p get Port vnet5 -- --id=@m create Mirror name=m select_src_port=@p select_dst_port=@p"
        )
        output = "--id=@n create Mirror name=n output_port=@p -- set Bridge br-int mirrors=@m,@n"
        vsctl("--", *f"{mirrors} -- {output}".split())
        self.dead_rx(5)

    def rows(self) -> dict[str, list[str]]:
        """Everything that is configured, references by name where a UUID would differ."""
        with Store(self.settings) as store:
            db = store.read()
        names: dict[str, str] = {}
        for table, rows in db.tables.items():
            names |= {key: f"{table} {row.get('name') or _marks(row)}" for key, row in rows.items()}
        told: dict[str, list[str]] = {}
        for table, rows in db.tables.items():
            plain = [restorable(db.schema, table, row) for row in rows.values()]
            told[table] = sorted(json.dumps(_named(row, names), sort_keys=True) for row in plain)
        told["Open_vSwitch"] = []  # next_cfg counts
        return told


def _marks(row: Row) -> str:
    return str(sorted(row.get("external_ids", ["map", []])[1]))


def _named(raw: Any, names: dict[str, str]) -> Any:
    if isinstance(raw, dict):
        return {key: _named(value, names) for key, value in raw.items()}
    if isinstance(raw, list) and len(raw) == 2 and raw[0] == "uuid":
        return names.get(raw[1], raw[1])
    if isinstance(raw, list) and len(raw) == 2 and raw[0] in {"set", "map"}:
        return [raw[0], sorted((_named(each, names) for each in raw[1]), key=str)]
    return [_named(each, names) for each in raw] if isinstance(raw, list) else raw
