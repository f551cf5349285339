"""What the live tests ask of a node: hostagent's answer, and OVSDB's rows less what changes by itself."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.lab import Node

NOBODY = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--")  # a command's first words
TABLES = ("Open_vSwitch", "Bridge", "Port", "Interface", "QoS", "Queue", "Mirror")
# written by vswitchd or counted by ovsdb-server (ovs-vswitchd.conf.db(5))
VOLATILE = frozenset(
    "_uuid _version statistics status ofport error ifindex admin_state link_state link_resets "
    "link_speed duplex mac_in_use mtu lacp_current bfd_status cfm_fault cfm_fault_status "
    "cfm_flap_count cfm_health cfm_mpid cfm_remote_mpids cfm_remote_opstate rstp_status "
    "rstp_statistics bond_active_slave next_cfg cur_cfg dpdk_initialized datapath_id "
    "datapath_version".split()
)


def check(node: Node, *arguments: str) -> tuple[int, dict[str, Any]]:
    """``hostagent check --live``: its exit status, and its checks by code."""
    done = node.run("hostagent", "check", "--live", "--format", "json", *arguments, check=False)
    return done.returncode, {each["code"]: each for each in json.loads(done.stdout)["checks"]}


def alarms(node: Node, *arguments: str) -> set[str]:
    """Every code and object that is not ok and not skipped, as "CODE OBJECT" ("CODE" without objects).

    On a busy machine a look may take its time: what it can't read in time is an alarm as well.
    """
    found = set()
    for code, each in check(node, "--timeout", "30s", *arguments)[1].items():
        if each["state"] not in {"ok", "skip"}:
            found |= {f"{code} {one['id']}" for one in each["objects"]} or {code}
    return found


def fix(node: Node, *arguments: str) -> int:
    """``hostagent fix``: its exit status."""
    return node.run("hostagent", "fix", *arguments, check=False, timeout=120).returncode


def last_run(node: Node) -> str:
    """The id of the newest run in ``hostagent history``."""
    return str(json.loads(node.run("hostagent", "history", "--json").stdout)["runs"][-1]["id"])


def rows(node: Node) -> dict[str, list[str]]:
    """Every table's rows, by content, with references followed by name where a UUID would differ."""
    found: dict[str, list[str]] = {}
    names: dict[str, str] = {}
    tables = _dump(node)
    for table in ("Interface", "Port", "Bridge"):
        names |= {row["_uuid"][1]: f"{table} {row['name']}" for row in tables[table]}
    for table in ("Queue", "QoS"):
        for row in tables[table]:
            names[row["_uuid"][1]] = f"{table} {json.dumps(row['external_ids'])}"
    for table, listed in tables.items():
        plain = [{key: value for key, value in row.items() if key not in VOLATILE} for row in listed]
        found[table] = sorted(_named(json.dumps(row, sort_keys=True), names) for row in plain)
    return found


def _named(text: str, names: dict[str, str]) -> str:
    for uuid, name in names.items():
        text = text.replace(uuid, json.dumps(name)[1:-1])
    return _sorted_sets(text)


def _sorted_sets(text: str) -> str:
    def order(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: order(each) for key, each in sorted(value.items())}
        if isinstance(value, list):
            listed = [order(each) for each in value]
            pairs = (
                len(listed) == 2 and listed[0] in {"set", "map"}
                if listed and isinstance(listed[0], str)
                else False
            )
            return [listed[0], sorted(listed[1], key=str)] if pairs else listed
        return value

    return json.dumps(order(json.loads(text)), sort_keys=True)


def _dump(node: Node) -> dict[str, list[dict[str, Any]]]:
    """Every table at one moment, by ovsdb-client: one JSON text for each."""
    found: dict[str, list[dict[str, Any]]] = {}
    for line in node.run("ovsdb-client", "--format=json", "dump", "Open_vSwitch").stdout.splitlines():
        raw = json.loads(line)
        table = raw["caption"].removesuffix(" table")
        found[table] = [dict(zip(raw["headings"], row, strict=True)) for row in raw["data"]]
    return {table: found.get(table, []) for table in TABLES}


def column(node: Node, table: str, record: str, name: str) -> str:
    """One column as ovs-vsctl prints it."""
    return node.run("ovs-vsctl", "get", table, record, name).stdout.strip()


def taps(node: Node, *guests: str) -> dict[str, str]:
    """Guest → tap of its first interface, as libvirt has it now."""
    return {guest: node.run("virsh", "-q", "domiflist", guest).stdout.split()[0] for guest in guests}


def without_purge(node: Node) -> None:
    """Boots leave what a power cut left, as they do where the package is not installed."""
    node.run("systemctl", "mask", "hostagent-purge.service")


def pid(node: Node, daemon: str) -> str:
    """A daemon's process id inside the node."""
    if daemon == "libvirtd":
        return node.run("systemctl", "show", "-p", "MainPID", "--value", "libvirtd").stdout.strip()
    return node.run("cat", f"/run/openvswitch/{daemon}.pid").stdout.strip()


def signal(node: Node, name: str, daemon: str) -> None:
    """Send STOP or CONT to one daemon of the node."""
    node.run("kill", f"-{name}", pid(node, daemon))
