"""What vswitchd's control socket answers (ovs-vswitchd(8), RUNTIME MANAGEMENT COMMANDS) → records. Pure."""

from __future__ import annotations

import re

from hostagent.model.ports import DatapathPort

# ofproto/ofproto-dpif.c, dpif_show_backer(); a name may hold spaces, so it ends at the last number.
_BRIDGE = re.compile(r"  (?P<name>\S.*):")
_PORT = re.compile(r"    (?P<name>\S.*) (?P<ofport>\d+)/(?P<number>\d+|none): \((?P<type>[^:)]*)[:)].*")
_VERSION = re.compile(r"ovs-vswitchd \(Open vSwitch\) (\S+)")

# lib/match.c writes numbers below this and the names of reserved ports (LOCAL, CONTROLLER, …).
_FIRST_RESERVED_PORT = 0xFF00
_IN_PORT = re.compile(r"[ ,]in_port=(\d+)(?=[, ]|$)")
# Rules above this priority or in the last table are vswitchd's own (ofproto/ofproto.c, hidden flows;
# ofproto/ofproto-dpif.h, TBL_INTERNAL).
_HIGHEST_PRIORITY = 65535
_INTERNAL_TABLE = "table_id=254, "
_PRIORITY = re.compile(r"[ ,]priority=(\d+)")


class TextError(ValueError):
    """The text can't be understood."""


def parse_version(text: str) -> str:
    """The answer to ``version`` → "3.1.0"."""
    found = _VERSION.match(text)
    if found is None:
        raise TextError(f"version says {text[:80]!r}")
    return found[1]


def parse_dpif_show(text: str) -> dict[str, dict[str, DatapathPort]]:
    """The answer to ``dpif/show`` → bridge → port → its numbers.

    Raises:
        TextError: a line is unknown. Skipping it would make a port look unattached.
    """
    bridges: dict[str, dict[str, DatapathPort]] = {}
    ports: dict[str, DatapathPort] | None = None
    for line in text.splitlines():
        if not line.strip():
            continue
        if not line.startswith(" "):  # a datapath, e.g. "netdev@ovs-netdev: hit:0 missed:0"
            ports = None
        elif (found := _PORT.fullmatch(line)) and ports is not None:
            number = found["number"]
            ports[found["name"]] = DatapathPort(
                ofport=int(found["ofport"]),
                number=None if number == "none" else int(number),
                type=found["type"],
            )
        elif found := _BRIDGE.fullmatch(line):
            ports = bridges.setdefault(found["name"], {})
        else:
            raise TextError(f"dpif/show has a line {line[:80]!r}")
    return bridges


def parse_in_ports(text: str) -> dict[int, int]:
    """The answer to ``bridge/dump-flows`` → OpenFlow port number → how many rules match on it."""
    counts: dict[int, int] = {}
    for line in text.splitlines():
        match, _, _ = line.partition("actions=")
        priority = _PRIORITY.search(match)
        hidden = priority is not None and int(priority[1]) > _HIGHEST_PRIORITY
        if hidden or line.startswith(_INTERNAL_TABLE):
            continue
        for found in _IN_PORT.finditer(match):
            number = int(found[1])
            if number < _FIRST_RESERVED_PORT:
                counts[number] = counts.get(number, 0) + 1
    return counts
